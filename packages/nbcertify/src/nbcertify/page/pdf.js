// What a PDF has of a certificate, and whether the file is as the issuer signed it. The same rules
// as in pdf_verification.py. Everything takes time in proportion to the file's size at most.

const MOST_STREAMS = 2_000;
const MOST_IN_ALL = 10_000_000; // bytes of all that is unpacked
const LONGEST_DICTIONARY = 1_000; // characters before a stream that are looked at
const LONGEST_SIGNATURE = 200_000; // hexadecimal digits

/** The signed texts attached, those in links (the QR code's address is one), and ids in metadata. */
async function partsOfPdf(data) {
  const text = new TextDecoder("latin1").decode(data);
  const parts = { credentials: new Set(), tokens: new Set(), ids: new Set() };
  addLinks(text, parts.tokens);
  let left = MOST_IN_ALL;
  for (const { dictionary, start, end } of streamsIn(text)) {
    const attached = dictionary.includes("/EmbeddedFile");
    if (!attached && !dictionary.includes("/ObjStm") && !dictionary.includes("/Metadata")) continue;
    let content = data.subarray(start, end);
    if (dictionary.includes("/FlateDecode")) {
      content = await unpacked(content, "deflate", { lenient: true, most: left });
    }
    left -= content.length;
    if (left <= 0) break;
    const said = new TextDecoder("latin1").decode(content);
    if (attached) for (const one of signedTextsIn(said)) parts.credentials.add(one);
    else if (dictionary.includes("/Metadata")) addIds(said, parts.ids);
    else addLinks(said, parts.tokens);
  }
  return parts;
}

/** Where the streams of a PDF are, with the end of what stands before each. */
function* streamsIn(text) {
  let at = 0;
  let close = -1; // the next "endstream"
  for (let count = 0; count < MOST_STREAMS; count++) {
    at = text.indexOf("stream", at);
    if (at < 0) return;
    const before = text.slice(Math.max(0, at - LONGEST_DICTIONARY), at);
    let start = at + "stream".length;
    at = start;
    if (before.endsWith("end")) continue;
    if (text[start] === "\r") start++;
    if (text[start] === "\n") start++;
    if (close < start) close = text.indexOf("endstream", start);
    if (close < 0) return;
    const dictionary = before.slice(before.lastIndexOf("obj") + 1);
    const stated = Number(/\/Length (\d{1,9})(?! \d+ R)/.exec(dictionary)?.[1]);
    const end = stated && start + stated <= text.length ? start + stated : close;
    yield { dictionary, start, end };
    at = end;
  }
}

function addLinks(text, tokens) {
  for (let at = text.indexOf("#eyJ"); at >= 0; at = text.indexOf("#eyJ", at + 4)) {
    const [found] = /^[A-Za-z0-9_.-]*/.exec(text.slice(at + 1, at + 1 + LONGEST));
    if (isSigned(found)) tokens.add(found);
    if (tokens.size > MOST_TEXTS) return;
    at += found.length;
  }
}

function addIds(text, ids) {
  for (const [found] of text.matchAll(/urn:uuid:[0-9a-f-]{36}/g)) {
    ids.add(found);
    if (ids.size > MOST_TEXTS) return;
  }
}

/** "intact", "changed" or "none": whether the last signature is the issuer's, over the whole file. */
async function sealOf(data, keys) {
  const text = new TextDecoder("latin1").decode(data);
  const at = text.lastIndexOf("/ByteRange");
  if (at < 0) return "none";
  const range = /^\/ByteRange\s{0,9}\[\s{0,9}0 {1,9}(\d{1,9}) {1,9}(\d{1,9}) {1,9}(\d{1,9})\s{0,9}\]/.exec(
    text.slice(at, at + 100),
  );
  if (range === null) return "changed";
  const [end, start, rest] = range.slice(1).map(Number);
  const hole = text.slice(end, start);
  const whole = end < start && start + rest === data.length && hole.length <= LONGEST_SIGNATURE;
  if (!whole || !/^<(?:[0-9A-Fa-f]{2})*>$/.test(hole)) return "changed";
  const covered = new Uint8Array(end + rest);
  covered.set(data.subarray(0, end));
  covered.set(data.subarray(start), end);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", covered));
  const signature = Uint8Array.from(hole.slice(1, -1).match(/../g) ?? [], (two) => parseInt(two, 16));
  try {
    return (await isSignedBy(digest, signature, keys)) ? "intact" : "changed";
  } catch (error) {
    console.warn(error);
    return "changed";
  }
}

const SHA_256 = "06096086480165030402" + "01";
const MESSAGE_DIGEST = "06092a864886f70d010904";

/** Whether it is a CMS signature (RFC 5652) of one signer, by one of the keys, over the digest. */
async function isSignedBy(digest, signature, keys) {
  const [, content] = children(element(signature, 0));
  const [signedData] = children(content);
  const signers = children(children(signedData).at(-1));
  if (signers.length !== 1) return false;
  const [, , algorithm, attributes, , value] = children(signers[0]);
  if (attributes.tag !== 0xa0 || hex(children(algorithm)[0].whole) !== SHA_256) return false;
  const digests = children(attributes)
    .map(children)
    .filter(([type]) => hex(type.whole) === MESSAGE_DIGEST)
    .map(([, values]) => hex(children(values)[0].content));
  if (digests.length !== 1 || digests[0] !== hex(digest)) return false;
  const signed = Uint8Array.from(attributes.whole);
  signed[0] = 0x31; // the tag of a set, as RFC 5652, 5.4, has it
  for (const key of keys) {
    const { name, namedCurve } = key.algorithm;
    const how = name === "ECDSA" ? { name, hash: "SHA-256" } : { name };
    const plain = name === "ECDSA" ? rawSignature(value.content, namedCurve) : value.content;
    if (await crypto.subtle.verify(how, key, plain, signed)) return true;
  }
  return false;
}

/** A public key (SPKI), on P-256 or P-384, or RSA. */
async function signerKey(spki) {
  const ways = [
    { name: "ECDSA", namedCurve: "P-256" },
    { name: "ECDSA", namedCurve: "P-384" },
    { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  ];
  for (const way of ways) {
    try {
      return await crypto.subtle.importKey("spki", spki, way, false, ["verify"]);
    } catch {
      continue;
    }
  }
  throw new Error("a key of another kind");
}

/** The two numbers of an ECDSA signature, each as long as the curve has it. */
function rawSignature(der, namedCurve) {
  const size = namedCurve === "P-384" ? 48 : 32;
  const raw = new Uint8Array(2 * size);
  children(element(der, 0)).forEach(({ content }, index) => {
    const number = content.subarray(Math.max(0, content.length - size));
    raw.set(number, (index + 1) * size - number.length);
  });
  return raw;
}

/** One element of DER: tag, content, the whole of it. RangeError if it does not fit. */
function element(data, at) {
  let length = data[at + 1];
  let start = at + 2;
  if (length > 0x80) {
    const count = length & 0x7f;
    if (count > 4) throw new RangeError("too long");
    length = data.subarray(start, start + count).reduce((sum, byte) => sum * 256 + byte, 0);
    start += count;
  }
  const end = start + length;
  if (!(end <= data.length)) throw new RangeError("no DER");
  return { tag: data[at], content: data.subarray(start, end), whole: data.subarray(at, end) };
}

function children({ content }) {
  const found = [];
  for (let at = 0; at < content.length; ) {
    const one = element(content, at);
    found.push(one);
    at += one.whole.length;
  }
  return found;
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
