export { engineTls } from "./engine-tls.ts";
export { readTlsFiles, TlsUnusable, watchTlsFiles, type TlsFiles, type TlsMaterial } from "./tls-files.ts";
