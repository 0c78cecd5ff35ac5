import { Type } from "typebox";
import { signal, step, workflow, WorkflowError, type Flow, type Workflow } from "../../../platform/workflow/declare.ts";

const Channel = Type.String({ pattern: "^chn_[0-7][0-9a-hjkmnp-tv-z]{25}$", description: "Id of the channel" });
const input = Type.Object({ channel: Channel });

/** Tells a run that sleeps that something is due sooner than it knows. */
export const wakeSignal = signal({ name: "wake", summary: "Something is due sooner than was known", body: Type.Object({}) });

export const sendWaiting = step({
  id: "notifications.send-waiting", summary: "Send what is due on a channel",
  input, output: Type.Object({
    delivered: Type.Integer(), again: Type.Integer(), failed: Type.Integer(),
    nextSeconds: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], { description: "Until something is due; null where nothing waits" }),
  }),
  retry: { attempts: 5, firstSeconds: 2, mostSeconds: 60 }, timeoutSeconds: 300,
});
export const handOver = step({ id: "notifications.hand-over", summary: "Go on in a new run, with an empty history", input, output: Type.Null() });
export const letGo = step({ id: "notifications.let-go", summary: "Leave the channel to the next run", input, output: Type.Null() });

const mostRounds = 200;
const afterFailureSeconds = 300;

/** Sends what waits on one channel, and sleeps until the next is due: one run a channel, for as long as something waits. */
export const deliverWorkflow = workflow({
  id: "notifications.deliver", summary: "Send the notifications of a channel", permission: "notifications:write", signals: [wakeSignal],
  input, output: Type.Null(), concurrencyKey: ({ channel }) => channel,
  async run(flow, { channel }) {
    flow.compensate(letGo, { channel });
    for (let round = 0; round < mostRounds; round += 1) {
      const seconds = await secondsToNext(flow, channel);
      if (seconds === null) return null;
      if (seconds > 0) await flow.waitFor(wakeSignal, { timeoutSeconds: seconds });
    }
    await flow.step(handOver, { channel });
    return null;
  },
});

/** A fault of this server must not leave the channel without a run. */
async function secondsToNext(flow: Flow, channel: string): Promise<number | null> {
  try {
    return (await flow.step(sendWaiting, { channel })).nextSeconds;
  } catch (error) {
    if (error instanceof WorkflowError) return afterFailureSeconds;
    throw error;
  }
}

export const notificationWorkflows = [deliverWorkflow] as unknown as readonly Workflow[];
