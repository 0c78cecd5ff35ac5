import type { TestCall, TestPlatform } from "../../src/app/testing.ts";

/** No subscription of the platform, so that what is parked there stays. */
const subscription = "tests.nobody";

let serial = 0;

/** A dead letter of the organization of `admin`, of an event that is there. */
export async function parkedEvent(platform: TestPlatform): Promise<{ subscription: string; event: string }> {
  await platform.call("inventory.create-site", { as: "admin", input: { name: `parked ${++serial}` } });
  const superuser = await platform.test.connect("superuser");
  try {
    // As if somebody had followed it until a moment ago.
    await superuser.query("insert into events.subscriptions (name, position, seen_at) values ($1, 9007199254740991, now()) on conflict (name) do update set seen_at = now()", [subscription]);
    const { rows: [row] } = await superuser.query<{ event_id: string }>(
      `insert into events.dead_letters (subscription, event_id, org_id, position, attempts, reason, at)
       select $1, id, org_id, coalesce(position, 1), 5, 'Error: it did not work', now() from events.log where org_id = $2 order by id desc limit 1
       on conflict (subscription, event_id, org_id) do update set attempts = 5 returning event_id`,
      [subscription, platform.person("admin").orgId],
    );
    if (row === undefined) throw new Error("the organization of admin has no event to park");
    return { subscription, event: row.event_id };
  } finally {
    await superuser.end();
  }
}

export const deadLetterArrangements: Readonly<Record<string, (platform: TestPlatform) => Promise<Partial<TestCall>>>> = {
  "events.get-dead-letter": async (platform) => ({ input: await parkedEvent(platform) }),
  "events.redrive": async (platform) => ({ input: await parkedEvent(platform) }),
};
