/**
 * Answers many askers with one load. An asker joins the next load, never one that has begun, so that an answer is
 * never older than its question. `load` answers in the order of its questions; its failure is everybody's.
 */
export function createBatcher<Question, Answer>(load: (questions: readonly Question[]) => Promise<readonly Answer[]>, options: { atOnce?: number; most?: number } = {}): (question: Question) => Promise<Answer> {
  const { atOnce = 2, most = 200 } = options;
  let waiting: { question: Question; resolve(answer: Answer): void; reject(error: unknown): void }[] = [];
  let running = 0;
  let planned = false;

  function start(): void {
    planned = false;
    while (running < atOnce && waiting.length > 0) {
      const batch = waiting.slice(0, most);
      waiting = waiting.slice(most);
      running += 1;
      void run(batch);
    }
  }

  async function run(batch: typeof waiting): Promise<void> {
    try {
      const answers = await load(batch.map((asker) => asker.question));
      if (answers.length !== batch.length) throw new Error("a batch was answered with another number of answers");
      batch.forEach((asker, i) => asker.resolve(answers[i] as Answer));
    } catch (error) {
      for (const asker of batch) asker.reject(error);
    } finally {
      running -= 1;
      start();
    }
  }

  return (question) => new Promise((resolve, reject) => {
    waiting.push({ question, resolve, reject });
    if (planned || running >= atOnce) return;
    planned = true;
    // After the requests that this turn of the event loop has read, so that they share a load.
    setImmediate(start);
  });
}
