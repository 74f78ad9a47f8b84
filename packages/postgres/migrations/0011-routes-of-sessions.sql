-- A batch of events reads the routes of the sessions that it is about, however many there are.
create index endpoint_route_of_session on endpoint_route (platform, session) where session is not null;
