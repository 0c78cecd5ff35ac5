import { describe, expect, it } from "vitest";
import type { Coordinates } from "../../software/purl.ts";
import { ecosystemOf, normaliseEcosystem, orderOf } from "./ecosystems.ts";
import { debianRelease, ubuntuRelease } from "./releases.ts";

function of(type: string, namespace: string | undefined, distro?: string): string {
  const coordinates: Coordinates = { type, name: "x", ...(namespace && { namespace }), ...(distro !== undefined && { distro }) };
  const found = ecosystemOf(coordinates);
  return "code" in found ? found.code : found.id;
}

describe("ecosystemOf", () => {
  it.each<[string, string | undefined, string | undefined, string]>([
    ["deb", "debian", "debian-12", "Debian:12"],
    ["deb", "debian", "debian-12.15", "Debian:12"],
    ["deb", "debian", "Debian-10.2", "Debian:10"],
    ["deb", "debian", "12", "Debian:12"],
    ["deb", "debian", "trixie", "Debian:13"],
    ["deb", undefined, "bookworm", "Debian:12"],
    ["deb", undefined, "debian:12", "Debian:12"],
    ["deb", undefined, "ubuntu-22.04", "Ubuntu:22.04"],
    ["deb", "ubuntu", "ubuntu-22.04.3", "Ubuntu:22.04"],
    ["deb", "ubuntu", "jammy", "Ubuntu:22.04"],
    ["deb", "ubuntu", "ubuntu-noble", "Ubuntu:24.04"],
    ["deb", "ubuntu", "22.04", "Ubuntu:22.04"],
    ["deb", "debian", undefined, "no-distribution"],
    ["deb", "debian", "debian-99", "unknown-release"],
    ["deb", "debian", "debian", "unknown-release"],
    ["deb", "debian", "sid", "unknown-release"],
    ["deb", "debian", "debian-12extra", "unknown-release"],
    ["deb", "ubuntu", "ubuntu-22", "unknown-release"],
    ["deb", "debian", "jammy", "unknown-distribution"],
    ["deb", undefined, "12", "unknown-distribution"],
    ["deb", "raspbian", "raspbian-12", "unknown-distribution"],
    ["deb", "debian", "__proto__-12", "unknown-release"],
    ["apk", "alpine", "alpine-3.18.4", "Alpine:v3.18"],
    ["apk", "alpine", "3.16.0", "Alpine:v3.16"],
    ["apk", "wolfi", "wolfi-20230201", "Wolfi"],
    ["rpm", "almalinux", "almalinux-9.4", "AlmaLinux:9"],
    ["rpm", "fedora", "fedora-40", "unknown-distribution"],
    ["npm", undefined, undefined, "npm"],
    ["cargo", undefined, undefined, "crates.io"],
    ["golang", "github.com/a", undefined, "Go"],
    ["pypi", undefined, undefined, "PyPI"],
    ["generic", undefined, undefined, "type-unsupported"],
    ["constructor", undefined, undefined, "type-unsupported"],
  ])("%s %s %s: %s", (type, namespace, distro, expected) => {
    expect(of(type, namespace, distro)).toBe(expected);
  });

  it("knows which versions it can compare", () => {
    const order = (type: string) => {
      const found = ecosystemOf({ type, name: "x", distro: "debian-12" });
      return "code" in found ? found.code : found.order?.compare("1.0~rc1", "1.0");
    };
    expect(order("deb")).toBeLessThan(0);
    expect(ecosystemOf({ type: "npm", name: "x" })).toHaveProperty("order");
    expect(ecosystemOf({ type: "pypi", name: "x" })).not.toHaveProperty("order");
    expect(orderOf("Ubuntu:Pro:16.04")).toBe(orderOf("Debian:12"));
    expect(orderOf("Maven")).toBeUndefined();
  });
});

it.each([
  ["Debian:12", "Debian:12"],
  ["Debian:bookworm", "Debian:12"],
  ["Debian:99", "Debian:99"],
  ["Debian", "Debian"],
  ["Ubuntu:22.04:LTS", "Ubuntu:22.04"],
  ["Ubuntu:24.10", "Ubuntu:24.10"],
  ["Ubuntu:Pro:18.04:LTS", "Ubuntu:Pro:18.04"],
  ["npm", "npm"],
])("an advisory's %s is %s", (written, normal) => expect(normaliseEcosystem(written)).toBe(normal));

it("knows every release of Debian by number and by codename", () => {
  const codenames = "buzz rex bo hamm slink potato woody sarge etch lenny squeeze wheezy jessie stretch buster bullseye bookworm trixie forky duke";
  const numbers = "1.1 1.2 1.3 2.0 2.1 2.2 3.0 3.1 4 5 6 7 8 9 10 11 12 13 14 15".split(" ");
  expect(codenames.split(" ").map(debianRelease)).toEqual(numbers);
  expect(numbers.map(debianRelease)).toEqual(numbers);
  expect(["4.0r9", "16", "0", "12.", "", "3"].map(debianRelease)).toEqual(Array.from({ length: 6 }, () => undefined));
});

it("reads Ubuntu's releases by their pattern", () => {
  expect(["6.06", "22.04", "22.04.5", "26.10", "Jammy"].map(ubuntuRelease)).toEqual(["6.06", "22.04", "22.04", "26.10", "22.04"]);
  expect(["22.05", "22", "lts", "22.04-x", "toString"].map(ubuntuRelease)).toEqual(Array.from({ length: 5 }, () => undefined));
});
