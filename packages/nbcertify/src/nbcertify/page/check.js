// Whether a signed text is a certificate, genuine, and still good. Knows nothing of the page.
// The same rules as in verification.py; all that is cryptography is the browser's.

const LONGEST = 100_000; // characters of a signed text
const SIGNATURE_CHARACTERS = 86; // 64 bytes
const LEAST_BITS = 131_072; // of a status list
const MOST_BYTES = 5_000_000; // of what is unpacked
const LEEWAY = 600; // seconds: clocks differ
const TOKEN_TYPE = "C";
const KID_CHARACTERS = 8;
const AGAIN =
  "Scan the QR code again, copy the whole address, or use the .jwt file that came with the certificate.";

class Refused extends Error {
  constructor(outcome, words) {
    super(words);
    this.outcome = outcome;
  }
}

/** What is published with this page, its status list verified; Refused if the page is damaged. */
async function trusted(data) {
  if (!globalThis.crypto?.subtle || typeof DecompressionStream === "undefined") {
    throw new Refused(
      "unreadable",
      "This browser cannot check signatures here. Open the page through https:// in a newer browser.",
    );
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
    throw new Refused(
      "unreadable",
      "This copy of the page is damaged: its list of revocations is not the one that was signed. Open the page anew.",
    );
  }
}

/** {outcome, words, facts}: there are facts only if the signature is genuine. `now` in seconds. */
async function check(text, issuer, now) {
  try {
    const typ = parsed(text).header.typ === TOKEN_TYPE ? TOKEN_TYPE : "JWT";
    const { header, claims } = await genuine(text, typ, issuer);
    const facts = typ === TOKEN_TYPE ? factsOfToken(claims, issuer) : factsOfCredential(claims);
    facts.key = header.kid;
    return { ...judged(facts, issuer, now), facts };
  } catch (error) {
    if (error instanceof Refused) return { outcome: error.outcome, words: error.message };
    throw error;
  }
}

/** What a genuine certificate is worth now. */
function judged(facts, issuer, now) {
  const { bits, address, issued } = issuer.status;
  const covered =
    Number.isInteger(facts.index) && facts.index >= 0 && facts.index < bits.length * 8;
  if (!covered || (facts.list ?? address) !== address) {
    return {
      outcome: "unreadable",
      words:
        "The signature is genuine, but this page's list of revocations does not cover this certificate. Open the page anew.",
    };
  }
  if (bits[facts.index >> 3] & (0x80 >> (facts.index & 7))) {
    return {
      outcome: "revoked",
      words: `${issuer.name} issued this certificate and has revoked it. It no longer counts.`,
    };
  }
  if (facts.expires !== undefined && facts.expires <= now) {
    return {
      outcome: "expired",
      words: `${issuer.name} issued this certificate. It was valid until ${day(facts.expires)}.`,
    };
  }
  if (facts.issued > now + LEEWAY) {
    return {
      outcome: "unreadable",
      words: `The signature is genuine, but the certificate is dated ${day(facts.issued)}, which is yet to come. Is the clock of this device right?`,
    };
  }
  return {
    outcome: "valid",
    words: `${issuer.name} issued this certificate, and had not revoked it as of ${day(issued)}. Compare what follows with the document in front of you.`,
  };
}

/** Header and claims, if the issuer signed them. */
async function genuine(text, typ, issuer) {
  const { header, claims, signature, signed } = parsed(text);
  if (header.typ !== typ) {
    throw new Refused("unreadable", `This is not a certificate. ${AGAIN}`);
  }
  // No other algorithm, and no word from the sender on which key to trust.
  const members = ["alg", "typ", "kid"];
  if (header.alg !== "ES256" || !Object.keys(header).every((name) => members.includes(name))) {
    throw new Refused(
      "tampered",
      `This is not a certificate of ${issuer.name}: it is not signed in the way in which those are. Do not rely on it.`,
    );
  }
  if (claims.iss !== issuer.did) {
    throw new Refused(
      "unknown",
      `This page knows the certificates of ${issuer.name} only. This one names another issuer: ${shown(claims.iss)}. Only that issuer can confirm it.`,
    );
  }
  const jwk = keyFor(header.kid, typ, issuer);
  if (jwk === undefined) {
    throw new Refused(
      "unknown",
      `It names ${issuer.name}, but is not signed with any key that this page knows. If it is newer than your copy of the page, open the page anew. Otherwise somebody else made it.`,
    );
  }
  if (signature.length !== SIGNATURE_CHARACTERS) {
    throw new Refused("unreadable", `A part of the signature is missing. ${AGAIN}`);
  }
  const { kty, crv, x, y } = jwk;
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  const key = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, curve, false, ["verify"]);
  const how = { name: "ECDSA", hash: "SHA-256" };
  const data = new TextEncoder().encode(signed);
  if (!(await crypto.subtle.verify(how, key, bytesOf(signature), data))) {
    throw new Refused(
      "tampered",
      `The signature does not fit what it says. Something was changed after ${issuer.name} signed it, or somebody else made it. Do not rely on it. A single wrong character is enough, so if you typed it: scan the QR code instead.`,
    );
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
    throw new Refused("unreadable", `There is no complete certificate in this. ${AGAIN}`);
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
async function unpacked(data, format, lenient = false) {
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream(format));
  const reader = stream.getReader();
  const parts = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.length;
      if (length > MOST_BYTES) throw new Error("too large");
      parts.push(value);
    }
  } catch (error) {
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
    throw new Refused("unreadable", "The issuer signed this, but it is not a certificate of a course.");
  }
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

/** The signed texts in a text; lines that a mail program broke are joined. */
function signedTextsIn(text) {
  const squeezed = text.replace(/\s+/g, "").replace(/^https?:\/\/[^#]*#/, "");
  if (isSigned(squeezed)) return [squeezed];
  return [...new Set(text.split(/[^A-Za-z0-9_.-]+/).map((part) => part.replace(/\.+$/, "")).filter(isSigned))];
}

// Every JOSE header begins with {" and thus with eyJ.
function isSigned(text) {
  return text.length <= LONGEST && /^eyJ[A-Za-z0-9_-]{9,}\.[A-Za-z0-9_-]{9,}\.[A-Za-z0-9_-]*$/.test(text);
}

/** The signed texts in the files attached to a PDF (its streams of type EmbeddedFile). */
async function signedTextsInPdf(data) {
  const text = new TextDecoder("latin1").decode(data);
  const found = new Set();
  for (const { index, 0: begin } of text.matchAll(/>>\s*stream\r?\n/g)) {
    const dictionary = text.slice(text.lastIndexOf("obj", index), index);
    if (dictionary.length > 2_000 || !dictionary.includes("/EmbeddedFile")) continue;
    const start = index + begin.length;
    const stated = Number(/\/Length\s+(\d+)(?!\s+\d+\s+R)/.exec(dictionary)?.[1]);
    const end = stated ? start + stated : text.indexOf("endstream", start);
    let content = data.subarray(start, end);
    if (dictionary.includes("/FlateDecode")) content = await unpacked(content, "deflate", true);
    for (const signed of signedTextsIn(new TextDecoder().decode(content))) found.add(signed);
  }
  return [...found];
}

function longId(jti) {
  const hex = [...bytesOf(jti)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `urn:uuid:${hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")}`;
}

/** A day in words, of seconds since the epoch. */
function day(seconds) {
  return LONG_DATE.format(seconds * 1000);
}

const LONG_DATE = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" });

/** Untrusted text, made short. */
function shown(value) {
  const text = String(value);
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}
