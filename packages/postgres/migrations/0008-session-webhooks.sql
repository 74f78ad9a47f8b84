-- An endpoint of an agent's sign-up session hears that session alone.
alter table endpoint_route add column session uuid;
