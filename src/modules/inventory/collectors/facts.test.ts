import { Value } from "typebox/value";
import { describe, expect, it } from "vitest";
import { AssetName, Facts } from "../schemas.ts";
import { factsOf, hostNameOf, kindOf, type RawFactName } from "./facts.ts";

const raw = (values: Partial<Record<RawFactName, string>>) => new Map(Object.entries(values)) as Map<RawFactName, string>;

describe("factsOf", () => {
  it("reads what a host says of itself", () => {
    const facts = factsOf(raw({
      sysname: "Linux\n", release: "6.1.0-44-amd64\n", machine: "x86_64\n", "cpus-online": "0-3,6\n", meminfo: "MemTotal:        2048 kB\nMemFree: 1 kB\n",
      "machine-id": `${"ab".repeat(16)}\n`, "cpu-flags": "flags : fpu hypervisor sse", "sys-vendor": "QEMU", "product-name": "Standard PC", localtime: "/usr/share/zoneinfo/Europe/Berlin",
    }));
    expect(facts).toEqual({
      kernelName: "Linux", kernel: "6.1.0-44-amd64", architecture: "x86_64", cpus: 5, memoryBytes: 2_097_152, virtualization: "kvm", timezone: "Europe/Berlin",
      machineIdHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(JSON.stringify(facts)).not.toContain("abababab");
    expect(Value.Check(Facts, facts)).toBe(true);
  });

  it("leaves out what is not said or makes no sense", () => {
    expect(factsOf(raw({ "cpus-online": "0-x", "cpus-count": "many", meminfo: "?", "machine-id": "uninitialized", timezone: "../../x y" }))).toEqual({});
  });

  it("stays within the schema whatever a host says", () => {
    const facts = factsOf(raw({ release: `\u0000${"x".repeat(10_000)}`, machine: "\u001b[31mred", container: "y".repeat(5_000), "cpus-online": "9-0" }));
    expect(Value.Check(Facts, facts)).toBe(true);
    expect(facts).toMatchObject({ architecture: "[31mred" });
    expect(facts).not.toHaveProperty("cpus");
  });

  it.each([
    [{ dockerenv: "yes" }, "docker", "container"],
    [{ containerenv: "yes" }, "podman", "container"],
    [{ container: "lxc\n" }, "lxc", "container"],
    [{ cgroup: "1:cpu:/kubepods/besteffort/pod1\n" }, "kubepods", "container"],
    [{ cgroup: "0::/init.scope\n", "cpu-flags": "flags : fpu" }, "none", "host"],
    [{ cgroup: "0::/system.slice/docker.service\n", "cpu-flags": "flags : fpu" }, "none", "host"],
    [{ "cpu-flags": "flags : hypervisor", "sys-vendor": "Amazon EC2" }, "amazon", "virtual-machine"],
    [{ "cpu-flags": "flags : fpu", "sys-vendor": "Amazon EC2" }, "none", "host"],
    [{ "cpu-flags": "flags : hypervisor" }, "unknown hypervisor", "virtual-machine"],
    [{ "hypervisor-type": "xen" }, "xen", "virtual-machine"],
    [{ "sys-vendor": "Dell Inc." }, undefined, undefined],
  ])("given %j, then it runs under %s and is a %s", (values, virtualization, kind) => {
    expect(factsOf(raw(values)).virtualization).toBe(virtualization);
    expect(kindOf(raw(values))).toBe(kind);
  });

  it.each([
    [{ localtime: "missing" }, "UTC"],
    [{ localtime: "missing", timezone: "Europe/Paris" }, "Europe/Paris"],
    [{ timezone: "Europe/Paris\n" }, "Europe/Paris"],
    [{ localtime: "/etc/other" }, undefined],
  ])("given %j, then the time zone is %s", (values, timezone) => {
    expect(factsOf(raw(values)).timezone).toBe(timezone);
  });
});

describe("hostNameOf", () => {
  it.each([
    [{ fqdn: "web01.example.org\n", node: "web01" }, "web01.example.org"],
    [{ fqdn: "localhost\n", node: "web01" }, "web01"],
    [{ fqdn: "localhost.localdomain", node: "localhost" }, "localhost"],
    [{ fqdn: "web 01; rm", node: "web01" }, "web01"],
    [{ node: "-x" }, undefined],
    [{}, undefined],
  ])("given %j, then %s", (values, name) => {
    expect(hostNameOf(raw(values))).toBe(name);
    if (name !== undefined) expect(Value.Check(AssetName, name)).toBe(true);
  });
});
