/** Small inputs for the tests of this module. */

export const debian = { id: "debian", versionId: "12" } as const;

export const osRelease = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n';

export const dpkgStatus = `Package: libstdc++6
Status: install ok installed
Architecture: amd64
Source: gcc-12 (12.2.0-14)
Version: 12.2.0-14+deb12u1
Description: a library
 with a second line

Package: bash
Status: install ok installed
Architecture: amd64
Version: 1:5.2~rc1-2+b13

Package: old
Status: deinstall ok config-files
Architecture: all
Version: 1

`;

export const apkInstalled = `C:Q1abc=
P:musl-utils
V:1.2.4-r2
A:x86_64
o:musl
F:usr/lib/python3.11/site-packages/owned.dist-info
R:METADATA

P:zlib
V:1.3-r0
A:x86_64
o:zlib

`;

export const cycloneDx = {
  bomFormat: "CycloneDX",
  specVersion: "1.5",
  metadata: { component: { type: "container", name: "image" } },
  components: [
    { type: "operating-system", name: "debian", version: "12" },
    { type: "file", name: "/etc/passwd" },
    {
      type: "library",
      name: "libssl3",
      version: "3.0.11-1~deb12u2",
      purl: "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64",
      properties: [
        { name: "aquasecurity:trivy:SrcName", value: "openssl" },
        { name: "aquasecurity:trivy:SrcVersion", value: "3.0.11" },
        { name: "aquasecurity:trivy:SrcRelease", value: "1~deb12u2" },
        { name: "aquasecurity:trivy:SrcEpoch", value: "1" },
      ],
    },
    {
      type: "application",
      group: "com.example",
      name: "app",
      version: "1",
      components: [{ type: "library", name: "left-pad", version: "1.3.0", purl: "pkg:npm/left-pad@1.3.0" }],
    },
  ],
} as const;

export const spdx = {
  spdxVersion: "SPDX-2.3",
  SPDXID: "SPDXRef-DOCUMENT",
  name: "image",
  packages: [
    { name: "debian", SPDXID: "SPDXRef-OperatingSystem-1", versionInfo: "12", primaryPackagePurpose: "OPERATING-SYSTEM" },
    {
      name: "libssl3",
      SPDXID: "SPDXRef-1",
      versionInfo: "3.0.11-1",
      sourceInfo: "built package from: openssl 3.0.11-1",
      externalRefs: [
        { referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64" },
        { referenceCategory: "SECURITY", referenceType: "cpe23Type", referenceLocator: "cpe:2.3:a:openssl:openssl:3.0.11:*:*:*:*:*:*:*" },
      ],
    },
    { name: "unknown", SPDXID: "SPDXRef-2", versionInfo: "NOASSERTION" },
  ],
} as const;
