// What is tested in the examples beside this file: it stands for your application.
import { json, string } from 'odradek';

/** Reads `count` orders and adds up what each customer has spent. */
export async function totalsOf(client, count) {
  const consumer = client.consumer({ group: 'totals', key: string, value: json(), autoOffsetReset: 'earliest' });
  consumer.subscribe('orders');
  const totals = {};
  for await (const { key, value } of consumer) {
    totals[key] = (totals[key] ?? 0) + value.amount;
    count -= 1;
    if (count === 0) break;
  }
  await consumer.close();
  return totals;
}
