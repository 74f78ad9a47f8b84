// Exits with 0 where the service in this container is ready. Usage: node healthcheck.ts <ops port>
const [port] = process.argv.slice(2);
const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(4_000) });
if (!response.ok) {
  console.error(await response.text());
  process.exitCode = 1;
}

export {};
