// Whether a signed text is a certificate, genuine, and still good. Knows nothing of the page: what
// is said is a key of the texts with values, of which `day` is in seconds since the epoch.
// The same rules as in verification.py; all that is cryptography is the browser's.

const LONGEST = 100_000; // characters of a signed text
const SIGNATURE_CHARACTERS = 86; // 64 bytes
const LEAST_BITS = 131_072; // of a status list
const MOST_BYTES = 5_000_000; // of what is unpacked
const MOST_TEXTS = 9; // signed texts in a text; more than one are refused
const LEEWAY = 600; // seconds: clocks differ
const TOKEN_TYPE = "C";
const KID_CHARACTERS = 8;
class Refused extends Error {
  constructor(outcome, key, values = {}) {
    super(key);
    this.outcome = outcome;
    this.says = [key, values];
  }
}

/** What is published with this page, its status list verified; Refused if the page is damaged. */
async function trusted(data) {
  if (!globalThis.crypto?.subtle || typeof DecompressionStream === "undefined") {
    throw new Refused("unreadable", "old_browser");
  }
  try {
    const did = data.did.id;
    const keys = new Map(
      data.did.verificationMethod
        .filter((method) => data.did.assertionMethod.includes(method.id))
        .map((method) => [method.id, method.publicKeyJwk]),
    );
    const issuer = { did, keys, name: data.name };
    const { claims } = await genuine(data.status, "JWT", issuer);
    const subject = claims.credentialSubject;
    const bits = await unpacked(bytesOf(subject.encodedList.slice(1)), "gzip");
    if (
      !claims.type.includes("BitstringStatusListCredential") ||
      subject.statusPurpose !== "revocation" ||
      bits.length * 8 < LEAST_BITS
    ) {
      throw new Error("another list");
    }
    return { ...issuer, status: { bits, address: claims.id, issued: claims.nbf } };
  } catch (error) {
    console.warn(error);
    throw new Refused("unreadable", "damaged");
  }
}

/** {outcome, says, facts}: there are facts only if the signature is genuine. `now` in seconds. */
async function check(text, issuer, now) {
  try {
    const typ = parsed(text).header.typ === TOKEN_TYPE ? TOKEN_TYPE : "JWT";
    const { header, claims } = await genuine(text, typ, issuer);
    const facts = typ === TOKEN_TYPE ? factsOfToken(claims, issuer) : factsOfCredential(claims);
    facts.key = header.kid;
    if (typ === TOKEN_TYPE) facts.token = text;
    return { ...judged(facts, issuer, now), facts };
  } catch (error) {
    if (error instanceof Refused) return { outcome: error.outcome, says: error.says };
    throw error;
  }
}

/** What a genuine certificate is worth now. */
function judged(facts, issuer, now) {
  const { bits, address, issued } = issuer.status;
  const covered =
    Number.isInteger(facts.index) && facts.index >= 0 && facts.index < bits.length * 8;
  if (!covered || (facts.list ?? address) !== address) {
    return { outcome: "unreadable", says: ["not_covered", {}] };
  }
  if (bits[facts.index >> 3] & (0x80 >> (facts.index & 7))) {
    return { outcome: "revoked", says: ["is_revoked", {}] };
  }
  if (facts.expires !== undefined && facts.expires <= now) {
    return { outcome: "expired", says: ["is_expired", { day: facts.expires }] };
  }
  if (facts.issued > now + LEEWAY) {
    return { outcome: "unreadable", says: ["is_future", { day: facts.issued }] };
  }
  return { outcome: "valid", says: ["is_valid", { day: issued }] };
}

/** Header and claims, if the issuer signed them. */
async function genuine(text, typ, issuer) {
  const { header, claims, signature, signed } = parsed(text);
  if (header.typ !== typ) {
    throw new Refused("unreadable", "not_certificate");
  }
  // No other algorithm, and no word from the sender on which key to trust.
  const members = ["alg", "typ", "kid"];
  if (header.alg !== "ES256" || !Object.keys(header).every((name) => members.includes(name))) {
    throw new Refused("tampered", "other_way");
  }
  if (claims.iss !== issuer.did) {
    throw new Refused("unknown", "other_issuer", { other: shown(claims.iss) });
  }
  const jwk = keyFor(header.kid, typ, issuer);
  if (jwk === undefined) {
    throw new Refused("unknown", "other_key");
  }
  if (signature.length !== SIGNATURE_CHARACTERS) {
    throw new Refused("unreadable", "half_signature");
  }
  const { kty, crv, x, y } = jwk;
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  const key = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, curve, false, ["verify"]);
  const how = { name: "ECDSA", hash: "SHA-256" };
  const data = new TextEncoder().encode(signed);
  if (!(await crypto.subtle.verify(how, key, bytesOf(signature), data))) {
    throw new Refused("tampered", "wrong_signature");
  }
  return { header, claims };
}

/** The key that a header names: a token's by the beginning of the thumbprint. */
function keyFor(kid, typ, issuer) {
  if (typeof kid !== "string") return undefined;
  if (typ !== TOKEN_TYPE) return issuer.keys.get(kid);
  if (kid.length !== KID_CHARACTERS) return undefined;
  return [...issuer.keys].find(([id]) => id.startsWith(`${issuer.did}#${kid}`))?.[1];
}

/** The parts of a compact JWS; nothing of it can be trusted yet. */
function parsed(text) {
  try {
    if (text.length > LONGEST) throw new Error("too long");
    const [header, claims, signature, ...more] = text.split(".");
    if (more.length) throw new Error("too many parts");
    bytesOf(signature);
    return {
      header: objectOf(header),
      claims: objectOf(claims),
      signature,
      signed: `${header}.${claims}`,
    };
  } catch {
    throw new Refused("unreadable", "none_in_it");
  }
}

/** What the base64url stands for; an error if it is not written in the one right way. */
function bytesOf(segment) {
  if (!/^[A-Za-z0-9_-]*$/.test(segment)) throw new Error("not base64url");
  const binary = atob(segment.replaceAll("-", "+").replaceAll("_", "/"));
  const again = btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  if (again !== segment) throw new Error("not canonical");
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function objectOf(segment) {
  const found = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytesOf(segment)));
  if (found === null || typeof found !== "object" || Array.isArray(found)) {
    throw new Error("not an object");
  }
  return found;
}

/** Unpacked data; what can be read of it if its end is damaged and `lenient`. */
async function unpacked(data, format, { lenient = false, most = MOST_BYTES } = {}) {
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream(format));
  const reader = stream.getReader();
  const parts = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.length;
      if (length > most) throw new Error("too large");
      parts.push(value);
    }
  } catch (error) {
    await reader.cancel().catch(() => 0);
    if (!lenient) throw error;
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function factsOfToken(claims, issuer) {
  const [first, last] = String(claims.d).split("/");
  return {
    name: claims.n,
    title: claims.t,
    course: claims.c,
    hours: claims.h,
    ec: claims.ec,
    first,
    last,
    issuer: issuer.name,
    issued: claims.iat,
    expires: claims.exp,
    id: longId(claims.jti),
    index: claims.i,
  };
}

function factsOfCredential(claims) {
  try {
    if (!claims.type.includes("OpenBadgeCredential")) throw new Error("another kind");
    const { credentialSubject: subject, credentialStatus: status } = claims;
    const course = subject.achievement.name;
    const ending = `: ${claims.name}`;
    return {
      identities: subject.identifier,
      title: claims.name,
      course: course.endsWith(ending) ? course.slice(0, -ending.length) : course,
      hours: Number(subject.result[0].value),
      results: resultsOf(subject),
      ec: subject.creditsEarned,
      first: subject.activityStartDate.slice(0, 10),
      last: subject.activityEndDate.slice(0, 10),
      issuer: claims.issuer.name,
      issued: claims.nbf,
      expires: claims.exp,
      id: claims.id,
      index: Number(status.statusListIndex),
      list: status.statusListCredential,
    };
  } catch {
    throw new Refused("unreadable", "not_course");
  }
}

/** What was reached beside the hours, in words. */
function resultsOf({ result, achievement }) {
  const described = new Map(achievement.resultDescription.map((one) => [one.id, one]));
  return result.slice(1).map((one) => {
    const { name, valueMax } = described.get(one.resultDescription);
    return valueMax === undefined ? `${name} ${one.value}` : `${name} ${one.value} / ${valueMax}`;
  });
}

/** Whether one of a credential's hashes is of this name or e-mail address. */
async function isOf(identities, who) {
  const spelt = {
    name: who.normalize("NFC").trim().split(/\s+/).join(" "),
    emailAddress: who.trim().toLowerCase(),
  };
  for (const { identityType, identityHash, salt } of identities) {
    const data = new TextEncoder().encode(spelt[identityType] + salt);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
    const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    if (identityHash === `sha256$${hex}`) return true;
  }
  return false;
}

/** The signed texts in a text, a few at most; lines that a mail program broke are joined. */
function signedTextsIn(text) {
  const squeezed = text.replace(/\s+/g, "").replace(/^https?:\/\/[^#]*#/, "");
  if (isSigned(squeezed)) return [squeezed];
  const found = new Set();
  for (const [part] of text.matchAll(/[A-Za-z0-9_.-]+/g)) {
    let end = part.length;
    while (part[end - 1] === ".") end--;
    const trimmed = part.slice(0, end);
    if (isSigned(trimmed)) found.add(trimmed);
    if (found.size > MOST_TEXTS) break;
  }
  return [...found];
}

// Every JOSE header begins with {" and thus with eyJ.
function isSigned(text) {
  return text.length <= LONGEST && /^eyJ[A-Za-z0-9_-]{9,}\.[A-Za-z0-9_-]{9,}\.[A-Za-z0-9_-]*$/.test(text);
}

function longId(jti) {
  const hex = [...bytesOf(jti)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `urn:uuid:${hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")}`;
}

/** Untrusted text, made short. */
function shown(value) {
  const text = String(value);
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}
