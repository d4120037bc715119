// All that reads and checks, off the page's own thread. It is told once what is published, and then
// what to check; it answers with {turn, answer}.

let published;

/** What comes out for a text, or for a file's bytes. */
async function outcomeOf({ text, bytes }, issuer) {
  if (bytes === undefined) return check(only(signedTextsIn(text)), issuer, Date.now() / 1000);
  const isPdf = new TextDecoder("latin1").decode(bytes.subarray(0, 5)) === "%PDF-";
  return isPdf
    ? outcomeOfPdf(bytes, issuer)
    : check(only(signedTextsIn(new TextDecoder().decode(bytes))), issuer, Date.now() / 1000);
}

function only(found) {
  if (found.length === 0) throw new Refused("unreadable", "none_in_it");
  if (found.length > 1) throw new Refused("unreadable", "several", { count: String(found.length) });
  return found[0];
}

/** A PDF counts as it is only if all its parts are of one certificate, and the issuer signed it. */
async function outcomeOfPdf(bytes, issuer) {
  const { credentials, tokens, ids } = await partsOfPdf(bytes);
  const now = Date.now() / 1000;
  const result = await check(only([...credentials]), issuer, now);
  if (result.facts === undefined) return result;
  const inLinks = await Promise.all([...tokens].map((token) => check(token, issuer, now)));
  const same = inLinks.filter(({ facts }) => facts?.id === result.facts.id);
  if (same.length > 0) {
    result.facts.name = same[0].facts.name;
    result.facts.token = [...tokens][inLinks.indexOf(same[0])];
    delete result.facts.identities;
  }
  if (result.outcome !== "valid") return result;
  const mixed = same.length < inLinks.length || [...ids].some((id) => id !== result.facts.id);
  if (mixed) return { ...result, outcome: "changed", says: ["is_mixed", {}] };
  const seal = await sealOf(bytes, issuer.signers);
  if (seal === "intact") return { ...result, says: ["is_valid_document", result.says[1]] };
  const says = [seal === "none" ? "is_unsigned" : "is_changed", {}];
  return { ...result, outcome: "changed", says };
}

/** What is published with the page, with the keys of those who sign PDFs. */
async function prepared(data) {
  const issuer = await trusted(data);
  const jwk = ({ kty, crv, x, y }) =>
    crypto.subtle.importKey(
      "jwk",
      { kty, crv, x, y },
      { name: "ECDSA", namedCurve: "P-256" },
      false,
      ["verify"],
    );
  const spki = (text) => signerKey(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));
  const signers = await Promise.all([
    ...[...issuer.keys.values()].map(jwk),
    ...data.signers.map(spki),
  ]);
  return { ...issuer, signers, lookup: data.lookup };
}

/** What the table says of a certificate's number; undefined if it is not in there. */
async function lookedUp(number, { lookup, status }) {
  const plain = number.trim().toLowerCase().replace(/^urn:uuid:/, "");
  const digest = (purpose) =>
    crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${purpose} ${lookup.salt} ${plain}`));
  const entry = lookup.entries[hex(new Uint8Array(await digest("name")))];
  if (entry === undefined) return undefined;
  const sealed = Uint8Array.from(atob(entry), (character) => character.charCodeAt(0));
  const key = await crypto.subtle.importKey("raw", await digest("key"), "AES-GCM", false, ["decrypt"]);
  const how = { name: "AES-GCM", iv: sealed.subarray(0, 12) };
  const found = JSON.parse(
    new TextDecoder().decode(await crypto.subtle.decrypt(how, key, sealed.subarray(12))),
  );
  const revoked = (status.bits[found.i >> 3] & (0x80 >> (found.i & 7))) !== 0;
  return { title: found.t, issued: found.d, expires: found.e, revoked };
}

const TASKS = {
  published: async (_, issuer) => ({ asOf: issuer.status.issued }),
  check: outcomeOf,
  compare: ({ identities, who }) => isOf(identities, who),
  lookUp: ({ number }, issuer) => lookedUp(number, issuer),
};

onmessage = async ({ data: { turn, task, given } }) => {
  let answer;
  try {
    published ??= prepared(given);
    answer = await TASKS[task](given, await published);
  } catch (error) {
    if (!(error instanceof Refused)) console.error(error);
    answer =
      error instanceof Refused
        ? { outcome: error.outcome, says: error.says }
        : { outcome: "unreadable", says: ["failed", {}] };
  }
  postMessage({ turn, answer });
};
