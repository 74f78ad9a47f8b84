import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@grantlog/cli';
import pg from 'pg';
import { createLoadWorld } from '../webhooks/world.ts';
const folder = await mkdtemp(join(tmpdir(), 'explain-'));
const postgres = await startEmbeddedPostgres({ dataRoot: join(folder, 'pg'), lifetime: 'throw-away', onProgress: () => {} });
try {
  const world = await createLoadWorld({ clusterUrl: postgres.url, name: 'x', secret: 'x'.repeat(40) });
  const c = new pg.Client({ connectionString: world.url });
  await c.connect();
  await c.query(`set search_path = grantlog`);
  await c.query(`insert into message select 'bench', ('01'||lpad(to_hex((extract(epoch from now())*1000)::bigint),10,'0')||'7abc8abc'||lpad(to_hex(i),12,'0'))::uuid, i, 0, gen_random_uuid(), 'grant.refreshed', 1, repeat('x',300), now() from generate_series(1,8) i`).catch(async (e)=>{ console.log(e.message); });
  const id = (ms: number, i: number) => { const h = ms.toString(16).padStart(12,'0'); return `${h.slice(0,8)}-${h.slice(8)}-7abc-8abc-${i.toString(16).padStart(12,'0')}`; };
  const eps = Array.from({ length: 1000 }, () => crypto.randomUUID());
  const now = Date.now();
  for (let i = 0; i < 1; i++) {
    await c.query(`insert into message (platform,id,position,ordinal,subject,type,renderer,body,recorded_at) values ('bench',$1,$2,0,$1,'grant.refreshed',1,repeat('x',300),now())`, [id(now, i), i]);
    await c.query(`insert into delivery (platform,endpoint,id,lane,position) select 'bench', e, $2, 1, $3 from unnest($1::uuid[]) e`, [eps, id(now, i), i]);
  }
  await c.query(`load 'auto_explain'; set auto_explain.log_min_duration=0; set auto_explain.log_nested_statements=on; set auto_explain.log_analyze=on; set auto_explain.log_buffers=off; set client_min_messages=log`).catch((e) => console.log('no auto_explain', e.message));
  const notices: string[] = [];
  c.on('notice', (n) => notices.push(n.message ?? ''));
  const worker = crypto.randomUUID();
  const take = (from: number, n: number, epoch: number) => c.query('select * from take_deliveries($1,6000,$2,$3,$4,$5,$6,$7)', [worker, Array(n).fill('bench'), eps.slice(from, from + n), Array(n).fill(epoch), Array(n).fill(64), Array(n).fill(false), Array(n).fill(false)]);
  const record = (from: number, rows: any[], n: number) => { const of = eps.slice(from, from+n); return c.query('select * from record_attempts($1,6000,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23)', [worker, Array(n).fill('bench'), of, Array(n).fill(1), Array(n).fill(1), Array(n).fill(false), Array(n).fill(false), Array(n).fill(null), Array(n).fill(true), Array(n).fill(0), Array(n).fill(null), of.map((_, i) => i + 1), of.map((_, i) => i + 1), rows.map((r) => r.place), rows.map((r) => r.id), rows.map(() => 'delivered'), rows.map(() => 204), rows.map(() => 'ok'), rows.map(() => now), rows.map(() => 1), rows.map(() => null), rows.map(() => 'delivered'), rows.map(() => null)]); };
  const analyze = process.argv[2] === 'explain';
  if (!analyze) await c.query('set auto_explain.log_min_duration=-1');
  for (let round = 0; round < 4; round++) {
    const t = performance.now();
    const r = await take(round * 100, 100, 0);
    const t2 = performance.now();
    await record(round * 100, r.rows, 100);
    const t3 = performance.now();
    console.log('take', (t2 - t).toFixed(1), 'rows', r.rows.length, 'record', (t3 - t2).toFixed(1));
    if (analyze && round === 3) console.log(notices.slice(-12).join('\n=====\n'));
    notices.length = 0;
  }
  await c.end();
  await world.close();
} finally { await postgres.stop(); }
