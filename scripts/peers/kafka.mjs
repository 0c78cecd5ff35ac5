import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder, folderOf } from "./cache.mjs";
import { fromDebian } from "./debian.mjs";
import { checkJava } from "./java.mjs";
import { run, versionIn } from "./run.mjs";

/** What Kafka 4 needs. */
const JAVA = 17;
/** Of slf4j 1.7, which the broker has: with the binding for slf4j 2 it would log nothing. */
const LOG4J = "2.25.3";

/**
 * A Kafka broker from its Maven packages:
 *
 *   <peer>/lib/*.jar           the broker and what it needs
 *   <peer>/log4j2.properties   warnings and errors to standard output
 *   <peer>/kafka.sh            Java with both; its arguments are Java's: `kafka.sh kafka.Kafka server.properties`
 *
 * kafka.sh becomes Java (exec), so that a signal to it is a signal to the broker.
 */
export async function installKafka(peer) {
  const { java, mvn } = await fromDebian(["default-jre-headless", "maven"], {
    java: [process.env.JAVA_HOME ? join(process.env.JAVA_HOME, "bin/java") : "java"],
    mvn: ["mvn"],
  });
  await checkJava(java, JAVA, "Kafka");
  const folder = folderOf(peer);
  const build = join(cacheFolder(), "build-kafka");
  try {
    await mkdir(build, { recursive: true });
    await writeFile(join(build, "pom.xml"), pom(peer.version));
    // A repository of its own: the packages would stay in the user's for nothing.
    await run(mvn, ["-q", "-B", "-ntp", `-Dmaven.repo.local=${join(build, "repository")}`, "dependency:copy-dependencies", `-DoutputDirectory=${join(folder, "lib")}`, "-DincludeScope=runtime"], { cwd: build });
  } finally {
    await rm(build, { recursive: true, force: true });
  }
  await writeFile(join(folder, "log4j2.properties"), log4j);
  const program = join(folder, "kafka.sh");
  await writeFile(program, `#!/bin/sh\nexec '${java}' $KAFKA_OPTS -Dlog4j2.configurationFile='${join(folder, "log4j2.properties")}' -cp '${join(folder, "lib")}/*' "$@"\n`);
  await chmod(program, 0o755);
  return { programs: { "kafka.sh": program }, found: versionIn(await run(program, ["kafka.Kafka", "--version"], { minutes: 1 })) };
}

function pom(version) {
  const dependency = (group, name, its) => `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${its}</version></dependency>`;
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>peers</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    ${dependency("org.apache.kafka", "kafka_2.13", version)}
    ${dependency("org.apache.logging.log4j", "log4j-slf4j-impl", LOG4J)}
    ${dependency("org.apache.logging.log4j", "log4j-core", LOG4J)}
  </dependencies>
</project>
`;
}

const log4j = `appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %c{1} %m%n
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
`;
