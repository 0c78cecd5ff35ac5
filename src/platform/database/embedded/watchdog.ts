import { spawn, type ChildProcess } from "node:child_process";
import { credentials, type RunUser } from "./run-user.ts";

/** Stops the server when this process is gone, however it ended. */
export interface Watchdog {
  /** Tells it which process to stop. */
  guard(pid: number): void;
  /** The server has ended: nothing is left to guard. */
  release(): void;
}

/**
 * Runs in a session of its own, and reads a pipe that only our process holds: its end means that we are gone.
 * Before it signals, it looks whether the process is still the server of that data directory. Arguments: the data
 * directory, the owner's identity (for a server that began before its id could be told), a socket folder to remove.
 */
const script = `
trap '' HUP INT TERM
data=$1 owner=$2 sockets=$3 pid=
while IFS= read -r line; do
  case $line in done) exit 0;; *) pid=$line;; esac
done
current() { now=; { read -r now < "$data/postmaster.pid"; } 2>/dev/null; [ -n "$pid" ] && [ "$now" = "$pid" ] && kill -0 "$pid" 2>/dev/null; }
gone() { [ -n "$sockets" ] && rmdir "$sockets" 2>/dev/null; exit 0; }
tries=0
while ! current; do
  tries=$((tries + 1)); [ $tries -gt 30 ] && gone
  if [ -n "$pid" ]; then
    kill -0 "$pid" 2>/dev/null || gone
  else
    opts=; { read -r opts < "$data/postmaster.opts"; } 2>/dev/null
    case $opts in *"$owner"*) { read -r pid < "$data/postmaster.pid"; } 2>/dev/null;; esac
  fi
  sleep 0.1
done
for signal in INT QUIT KILL; do
  kill -$signal "$pid" 2>/dev/null
  tries=0
  while current && [ $tries -lt 100 ]; do tries=$((tries + 1)); sleep 0.1; done
  current || gone
done
`;

export function startWatchdog(options: { data: string; owner: string; socketDirToRemove: string | undefined; user: RunUser }): Watchdog {
  let guarded: number | undefined;
  let released = false;
  let launches = 0;
  let child = launch();

  function launch(): ChildProcess {
    launches += 1;
    const shell = spawn("/bin/sh", ["-c", script, "qinfra-postgres-watchdog", options.data, options.owner, options.socketDirToRemove ?? ""], {
      ...credentials(options.user),
      cwd: "/",
      detached: true,
      env: { PATH: "/bin:/usr/bin:/usr/local/bin", LC_ALL: "C" },
      stdio: ["pipe", "ignore", "ignore"],
    });
    shell.stdin?.on("error", () => undefined);
    shell.on("error", () => undefined);
    // Somebody ended it while the server runs: have another.
    shell.once("exit", () => {
      if (released || launches > 5) return;
      child = launch();
      if (guarded !== undefined) tell(String(guarded));
    });
    shell.unref();
    if (shell.stdin !== null && "unref" in shell.stdin && typeof shell.stdin.unref === "function") shell.stdin.unref();
    return shell;
  }

  function tell(line: string): void {
    child.stdin?.write(`${line}\n`);
  }

  return {
    guard(pid) {
      guarded = pid;
      tell(String(pid));
    },
    release() {
      if (released) return;
      released = true;
      tell("done");
      child.stdin?.end();
    },
  };
}
