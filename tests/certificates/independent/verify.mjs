// Verifies credentials against a published site, as someone with jose and the standards would.
//
//     node verify.mjs SITE_FOLDER CREDENTIAL.jwt ...
//
// Prints a list in JSON: for each credential its name and whether it is revoked, or the error.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { calculateJwkThumbprint, createLocalJWKSet, decodeProtectedHeader, jwtVerify } from "jose";

const [site, ...paths] = process.argv.slice(2);
const text = (...path) => readFile(join(...path), "utf8");
const did = JSON.parse(await text(site, ".well-known", "did.json"));

// In a DID document a key is known by its full id, which is what `kid` has.
const keys = did.verificationMethod
  .filter(({ id }) => did.assertionMethod.includes(id))
  .map(({ id, publicKeyJwk }) => ({ ...publicKeyJwk, kid: id }));
const keySet = createLocalJWKSet({ keys });

async function verified(jwt, type) {
  const how = { issuer: did.id, algorithms: ["ES256"], requiredClaims: ["iss", "jti", "nbf"] };
  const { payload } = await jwtVerify(jwt.trim(), keySet, how);
  const { kid } = decodeProtectedHeader(jwt);
  const { publicKeyJwk } = did.verificationMethod.find(({ id }) => id === kid);
  if (kid !== `${did.id}#${await calculateJwkThumbprint(publicKeyJwk)}`) {
    throw new Error("the key's id is not its thumbprint");
  }
  if (!payload.type.includes(type)) throw new Error(`not a ${type}`);
  const issuer = payload.issuer.id ?? payload.issuer;
  if (issuer !== payload.iss || payload.id !== payload.jti) throw new Error("claims contradict");
  return payload;
}

async function isRevoked({ type, statusPurpose, statusListCredential, statusListIndex }) {
  if (type !== "BitstringStatusListEntry" || statusPurpose !== "revocation") {
    throw new Error("unknown kind of status");
  }
  const path = new URL(statusListCredential).pathname;
  const list = await verified(await text(site, path), "BitstringStatusListCredential");
  const { encodedList } = list.credentialSubject;
  if (list.id !== statusListCredential || encodedList[0] !== "u") throw new Error("another list");
  const bits = gunzipSync(Buffer.from(encodedList.slice(1), "base64url"));
  const index = Number(statusListIndex);
  if (bits.length < 16_384 || index >= bits.length * 8) throw new Error("the list is too short");
  return ((bits[index >> 3] >> (7 - (index & 7))) & 1) === 1;
}

const results = [];
for (const path of paths) {
  try {
    const payload = await verified(await text(path), "OpenBadgeCredential");
    results.push({ name: payload.name, revoked: await isRevoked(payload.credentialStatus) });
  } catch (error) {
    results.push({ error: error.code ?? error.message });
  }
}
console.log(JSON.stringify(results));
