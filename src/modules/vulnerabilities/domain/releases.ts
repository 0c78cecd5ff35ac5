/** Releases of Debian and their codenames (wiki.debian.org/DebianReleases). Sid has none: it is never released. */
const debian: Readonly<Record<string, string>> = {
  "1.1": "buzz",
  "1.2": "rex",
  "1.3": "bo",
  "2.0": "hamm",
  "2.1": "slink",
  "2.2": "potato",
  "3.0": "woody",
  "3.1": "sarge",
  "4": "etch",
  "5": "lenny",
  "6": "squeeze",
  "7": "wheezy",
  "8": "jessie",
  "9": "stretch",
  "10": "buster",
  "11": "bullseye",
  "12": "bookworm",
  "13": "trixie",
  "14": "forky",
  "15": "duke",
};

/** Codenames of Ubuntu's releases that were ever in an OSV feed (wiki.ubuntu.com/Releases). */
const ubuntuCodenames: Readonly<Record<string, string>> = {
  trusty: "14.04",
  utopic: "14.10",
  vivid: "15.04",
  wily: "15.10",
  xenial: "16.04",
  yakkety: "16.10",
  zesty: "17.04",
  artful: "17.10",
  bionic: "18.04",
  cosmic: "18.10",
  disco: "19.04",
  eoan: "19.10",
  focal: "20.04",
  groovy: "20.10",
  hirsute: "21.04",
  impish: "21.10",
  jammy: "22.04",
  kinetic: "22.10",
  lunar: "23.04",
  mantic: "23.10",
  noble: "24.04",
  oracular: "24.10",
  plucky: "25.04",
  questing: "25.10",
};

const debianCodenames: ReadonlyMap<string, string> = new Map(
  Object.entries(debian).map(([release, codename]) => [codename, release]),
);

/** `12`, `12.15` or `bookworm` -> `12`; undefined for what is no release of Debian (`99`, `sid`). */
export function debianRelease(text: string): string | undefined {
  const wanted = text.toLowerCase();
  const named = debianCodenames.get(wanted);
  if (named !== undefined) return named;
  if (!/^\d+(\.\d+)*$/.test(wanted)) return undefined;
  const [major = "", minor] = wanted.split(".");
  // Up to sarge a release had two numbers; since then the second one counts point releases.
  const release = Number(major) < 4 ? `${major}.${minor ?? ""}` : major;
  return Object.hasOwn(debian, release) ? release : undefined;
}

/** `22.04`, `22.04.3` or `jammy` -> `22.04`; undefined for what is no release of Ubuntu. */
export function ubuntuRelease(text: string): string | undefined {
  const wanted = text.toLowerCase();
  if (Object.hasOwn(ubuntuCodenames, wanted)) return ubuntuCodenames[wanted];
  return /^(\d{1,2}\.(?:04|06|10))(?:\.\d+)?$/.exec(wanted)?.[1];
}
