import type { Component } from "../../../modules/software/component.ts";
import { indexAdvisories } from "../../../modules/vulnerabilities/domain/advisory-index.ts";
import type { Advisory } from "../../../modules/vulnerabilities/domain/advisory.ts";
import { normaliseEcosystem } from "../../../modules/vulnerabilities/domain/ecosystems.ts";
import { lookUpsOf, match } from "../../../modules/vulnerabilities/domain/match.ts";
import { nameKey } from "../../../modules/vulnerabilities/domain/package-names.ts";
import { buildReport, type FeedOfReport, type ScanReport } from "../../../modules/vulnerabilities/domain/report.ts";
import { combinedDigest } from "../../../modules/vulnerabilities/feeds/feed-tally.ts";
import { eachAdvisory } from "../../../modules/vulnerabilities/feeds/read-feed.ts";
import type { FeedInput } from "../../../modules/vulnerabilities/feeds/feed-files.ts";
import type { CliIo } from "../io.ts";
import { cachedFeeds } from "../local/advisory-cache.ts";
import { createProgressLine } from "../progress.ts";

/** Matches in this process with the feeds that are given, or else with those of the cache. */
export async function matchHere(io: CliIo, components: readonly Component[], target: NonNullable<ScanReport["target"]>, given: readonly string[] | undefined): Promise<ScanReport> {
  const inputs: FeedInput[] = given === undefined ? (await cachedFeeds(io)).map(({ path }) => ({ path })) : given.map((path) => feedInput(io, path));
  const { advisories, ecosystems, feeds } = await readFeeds(io, inputs, wantedPackages(components));
  const result = match(components, indexAdvisories(advisories, { ecosystems }));
  const newest = feeds.reduce<string | null>((latest, feed) => (feed.newest !== null && (latest === null || feed.newest > latest) ? feed.newest : latest), null);
  const digest = combinedDigest(feeds.flatMap((feed) => (feed.digest === null ? [] : [feed.digest])));
  return buildReport(result, { mode: "local", target, advisories: { digest, newest, feeds } });
}

function feedInput(io: CliIo, path: string): FeedInput {
  return path === "-" ? { name: "standard input", chunks: io.stdin } : { path };
}

type Wanted = (ecosystem: string, packageName: string) => boolean;

/** Only advisories about packages that are there are kept in memory. */
function wantedPackages(components: readonly Component[]): Wanted {
  const wanted = new Set(components.flatMap(lookUpsOf).map((lookUp) => nameKey(lookUp.ecosystem, lookUp.package)));
  return (ecosystem, packageName) => wanted.has(nameKey(ecosystem, packageName));
}

async function readFeeds(io: CliIo, inputs: readonly FeedInput[], wanted: Wanted): Promise<{ advisories: Advisory[]; ecosystems: Set<string>; feeds: FeedOfReport[] }> {
  const advisories: Advisory[] = [];
  const ecosystems = new Set<string>();
  const feeds: FeedOfReport[] = [];
  const line = createProgressLine(io);
  let done = 0;
  try {
    for (const input of inputs) {
      const keep = (advisory: Advisory): void => {
        line.show({ step: "reading advisories", done: ++done });
        let about = false;
        for (const affected of advisory.affected) {
          const ecosystem = normaliseEcosystem(affected.ecosystem);
          ecosystems.add(ecosystem);
          about ||= wanted(ecosystem, affected.package);
        }
        if (about) advisories.push(advisory);
      };
      const { digest, newest, records } = await eachAdvisory(input, keep, { signal: io.signal });
      feeds.push({ name: "path" in input ? input.path : input.name, digest, newest, records });
    }
  } finally {
    line.end();
  }
  return { advisories, ecosystems, feeds };
}
