import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { isoCBOR } from "@simplewebauthn/server/helpers";

interface Options {
  challenge: string;
}

export interface SimulatedAuthenticator {
  id: string;
  /** The signature counter; a test may turn it back. */
  counter: number;
  create(options: object, more?: Partial<Answering>): { id: string; rawId: string; type: "public-key"; response: { clientDataJSON: string; attestationObject: string; transports: string[] } };
  get(options: object, more?: Partial<Answering>): { id: string; rawId: string; type: "public-key"; response: { clientDataJSON: string; authenticatorData: string; signature: string } };
}

/** What the browser and the authenticator say of themselves. */
interface Answering {
  origin: string;
  rpId: string;
  /** Of authenticator data (WebAuthn 3, 6.1): user present 1, user verified 4. */
  flags: number;
}

const attested = 0x40;

/** A simulated authenticator with one ES256 key and attestation `none`, for tests. */
export function simulatedAuthenticator(at: { origin: string; rpId: string }): SimulatedAuthenticator {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const rawId = randomBytes(32);
  const id = rawId.toString("base64url");
  // COSE_Key of an EC2 key: kty 2, alg -7 (ES256), crv 1 (P-256), x, y (RFC 9053, 7.1).
  const coseKey = new Map<number, number | Uint8Array>([[1, 2], [3, -7], [-1, 1], [-2, bytes(x)], [-3, bytes(y)]]);
  const usual: Answering = { ...at, flags: 1 | 4 };

  function authenticatorData({ rpId, flags }: Answering, credential: Uint8Array): Buffer {
    const head = Buffer.alloc(5);
    head.writeUInt8(flags, 0);
    head.writeUInt32BE(made.counter, 1);
    return Buffer.concat([sha256(rpId), head, credential]);
  }

  const made: SimulatedAuthenticator = {
    id, counter: 0,
    create(options, more) {
      const answering = { ...usual, ...more };
      const length = Buffer.alloc(2);
      length.writeUInt16BE(rawId.length);
      const credential = Buffer.concat([Buffer.alloc(16), length, rawId, isoCBOR.encode(coseKey)]);
      const authData = Uint8Array.from(authenticatorData({ ...answering, flags: answering.flags | attested }, credential));
      const attestationObject = isoCBOR.encode(new Map<string, string | Uint8Array | Map<string, string>>([["fmt", "none"], ["attStmt", new Map<string, string>()], ["authData", authData]]));
      return {
        id, rawId: id, type: "public-key",
        response: { clientDataJSON: clientData("webauthn.create", options as Options, answering), attestationObject: Buffer.from(attestationObject).toString("base64url"), transports: ["internal"] },
      };
    },
    get(options, more) {
      const answering = { ...usual, ...more };
      made.counter += 1;
      const clientDataJSON = clientData("webauthn.get", options as Options, answering);
      const data = authenticatorData(answering, Buffer.alloc(0));
      const signature = sign("sha256", Buffer.concat([data, sha256(Buffer.from(clientDataJSON, "base64url"))]), privateKey);
      return { id, rawId: id, type: "public-key", response: { clientDataJSON, authenticatorData: data.toString("base64url"), signature: signature.toString("base64url") } };
    },
  };
  return made;
}

function clientData(type: string, { challenge }: Options, { origin }: Answering): string {
  return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false })).toString("base64url");
}

function sha256(data: string | Uint8Array): Buffer {
  return createHash("sha256").update(data).digest();
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(base64url, "base64url"));
}
