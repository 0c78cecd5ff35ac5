export { copyOf, engineTls, type EngineTls } from "./engine-tls.ts";
export { readTlsFiles, TlsUnusable, watchTlsFiles, type TlsFiles, type TlsMaterial } from "./tls-files.ts";
