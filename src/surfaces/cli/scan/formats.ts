export const scanFormats = ["table", "json", "sarif", "cyclonedx"] as const;
export type ScanFormat = (typeof scanFormats)[number];
