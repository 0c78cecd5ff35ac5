import { rawFactFiles } from "./facts.ts";

/** What the script stops at; it says so in its answer. */
export const scriptLimits = {
  /** Directory entries that are looked at for language packages. */
  entries: 300_000,
  /** Bytes of a package database, and of the metadata of one language package, after which the rest is left out. */
  databaseBytes: 64 * 1024 * 1024,
  metadataBytes: 4 * 1024 * 1024,
};

const databases = ["etc/os-release", "usr/lib/os-release", "var/lib/dpkg/status", "lib/apk/db/installed", "usr/lib/apk/db/installed"];

/** Package databases that are only noted, as `parseRootfs` does. */
export const notedFiles = [
  ...["var/lib/rpm", "usr/lib/sysimage/rpm"].flatMap((folder) => ["rpmdb.sqlite", "Packages", "Packages.db"].map((name) => `${folder}/${name}`)),
  "var/lib/pacman/local/ALPM_DB_VERSION",
  "usr/lib/opkg/status", "var/lib/opkg/status",
  "nix/var/nix/db/db.sqlite",
  "var/lib/snapd/state.json",
  "var/lib/flatpak/repo/config",
];

/**
 * A POSIX script that writes what is installed on its host to standard output, in the format that `parseAnswer` reads,
 * and nothing anywhere else. It searches where `parseRootfs` does on a machine. All of it is one function called at
 * the end, so that a script that arrives in part does nothing.
 */
export function collectScript(nonce: string): string {
  if (!/^[0-9a-f]{32}$/.test(nonce)) throw new Error("a nonce is 32 hexadecimal digits");
  return script.replaceAll("NONCE", nonce);
}

const values = Object.entries(rawFactFiles).map(([name, path]) => `  value_file ${name} ${path}`).join("\n");

const script = String.raw`
qinfra_body() {
  value sysname "$(uname -s)"
  value release "$(uname -r)"
  value machine "$(uname -m)"
  value node "$(uname -n)"
  if command -v timeout >/dev/null 2>&1; then value fqdn "$(timeout 5 hostname -f 2>/dev/null)"; else value fqdn "$(hostname -f 2>/dev/null)"; fi
  value cpus-count "$(getconf _NPROCESSORS_ONLN 2>/dev/null)"
  value cpu-flags "$(awk '/^flags/ { print; exit }' /proc/cpuinfo 2>/dev/null)"
${values}
  if [ -e /.dockerenv ]; then value dockerenv yes; fi
  if [ -e /run/.containerenv ]; then value containerenv yes; fi
  if [ -h /etc/localtime ]; then value localtime "$(readlink /etc/localtime 2>/dev/null)"; elif ! [ -e /etc/localtime ]; then value localtime missing; fi
  for path in ${databases.join(" ")}; do file "$path"; done
  for path in /var/lib/dpkg/status.d/*; do
    case $path in *.md5sums | *'*' | *[!-A-Za-z0-9._+~:/]*) continue ;; esac
    file "${"$"}{path#/}"
  done
  if [ -d /var/lib/dpkg/info ]; then
    printf 'f var/lib/dpkg/info/owned.list\n'
    find /var/lib/dpkg/info/ -type f -name '*.list' -exec cat {} + | awk '/(package\.json|METADATA|PKG-INFO|\.egg-info)$/ { print "." $0 }' && printf '=\n'
  fi
  for path in ${notedFiles.join(" ")}; do
    if [ -e "/$path" ]; then printf 'p %s\n' "$path"; else closed "$path"; fi
  done
  languages
  printf 'e %s\n' "$nonce"
}

value() {
  if [ -z "$2" ]; then return 0; fi
  printf 'v %s\n' "$1"
  printf '%s\n' "$2" | awk '{ print "." $0 } NR >= 200 { exit }'
}

value_file() {
  if [ -f "$2" ] && [ -r "$2" ]; then
    printf 'v %s\n' "$1"
    awk '{ print "." $0 } NR >= 200 { exit }' "$2" 2>/dev/null
  fi
}

file() {
  if [ -f "/$1" ] && [ -r "/$1" ]; then
    printf 'f %s\n' "$1"
    awk -v limit=${scriptLimits.databaseBytes} '{ print "." $0; size += length($0) + 1 } size > limit { exit }' "/$1" && printf '=\n'
  elif [ -f "/$1" ]; then
    printf 'x %s\n' "$1"
  else
    closed "$1"
  fi
}

closed() {
  above=/$1
  while above=${"$"}{above%/*}; [ -n "$above" ]; do
    if [ -d "$above" ]; then
      [ -x "$above" ] || printf 'c %s\n' "${"$"}{above#/}"
      return 0
    fi
  done
}

languages() {
  set --
  for path in /usr/lib/node_modules /usr/local /opt /srv /usr/lib/python[0-9]* /usr/lib64/python[0-9]*; do
    case $path in */python*) case ${"$"}{path##*/python} in *[!0-9.]*) continue ;; esac ;; esac
    [ -d "$path" ] || continue
    if ! [ -x "$path" ]; then
      printf 'c %s\n' "${"$"}{path#/}"
      continue
    fi
    real=$(cd -P "$path" && pwd -P) || continue
    if [ "$real" = / ]; then continue; fi
    if [ "$real" != "$path" ]; then printf 'l %s\t%s\n' "${"$"}{path#/}" "$real"; fi
    set -- "$@" "$real"
  done
  if [ $# -eq 0 ]; then return 0; fi
  # A directory is printed twice, so that the reader can tell it from a file; a link that has a name of metadata, not at all.
  refused=$({
    find "$@" -type d \( -name .cache -o -name .git -o -name .hg -o -name .npm -o -name .svn -o -name proc -o -name sys \) -prune \
      -o -type d -print -print \
      -o ! -type f \( -name package.json -o -name METADATA -o -name PKG-INFO -o -name '*.egg-info' \) -prune \
      -o -print |
      awk -v entries=${scriptLimits.entries} -v limit=${scriptLimits.metadataBytes} '
        function send(path,   text, size, head, state) {
          if (path ~ /^\/(.*\/)?node_modules\/(@[^\/]+\/)?[^\/@][^\/]*\/package\.json$/) head = 0
          else if (path ~ /^\/.*(\.dist-info\/METADATA|\.egg-info|\.egg-info\/PKG-INFO)$/) head = 1
          else return
          if (path in sent) return
          sent[path] = 1
          print "f " substr(path, 2)
          size = 0
          while ((state = (getline text < path)) > 0) {
            if (head && (text == "" || text == "\r")) break
            print "." text
            size += length(text) + 1
            if (size > limit) break
          }
          close(path)
          if (state >= 0) print "="
        }
        # The rest of a name that holds a line break.
        $0 !~ /^\// { broken++; next }
        $0 == last { last = ""; next }
        {
          if (last != "") send(last)
          last = $0
          if (++count > entries) { stopped = 1; exit }
        }
        END {
          if (broken) print "u " broken
          if (stopped) print "s " entries
          else if (last != "") send(last)
        }
      ' >&4
  } 2>&1)
  value find-errors "$refused"
} 4>&1

qinfra_collect() {
  nonce=NONCE
  LC_ALL=C
  PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
  export LC_ALL PATH
  # Tried rather than looked up: a shell may name a tool that it cannot run.
  tool=
  awk 'BEGIN { exit 0 }' >/dev/null 2>&1 || tool=awk
  find / -prune >/dev/null 2>&1 || tool=find
  if [ -n "$tool" ]; then
    printf 'qinfra-answer %s plain\nm %s\ne %s\n' "$nonce" "$tool" "$nonce"
  elif printf x | gzip -1 -c >/dev/null 2>&1; then
    printf 'qinfra-answer %s gzip\n' "$nonce"
    qinfra_body | gzip -1 -c
  else
    printf 'qinfra-answer %s plain\n' "$nonce"
    qinfra_body
  fi
}

qinfra_collect </dev/null
exit 0
`;
