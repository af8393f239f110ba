// Node's fetch. The protocol is told in check.py.
import { createInterface } from 'node:readline';

for await (const line of createInterface({ input: process.stdin })) {
  const [method, base, form, key, body] = line.split('\t').map(decodeURIComponent);
  try {
    const url = base + (form === 'escaped' ? encodeURIComponent(key) : key);
    const init = { method, headers: { 'Content-Type': 'application/json' }, body: body || undefined };
    const answer = await fetch(url, init);
    console.log(answer.status + '\t' + encodeURIComponent(await answer.text()));
  } catch (refused) {
    console.log('-\t' + encodeURIComponent(refused.cause ?? refused));
  }
}
