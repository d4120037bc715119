// The page: takes a certificate from the address, a file or the text field, and shows the outcome.

const VERDICTS = {
  valid: "Valid",
  tampered: "Not genuine",
  revoked: "Revoked",
  expired: "Expired",
  unknown: "Unknown issuer",
  unreadable: "Cannot be read",
};
const data = JSON.parse(at("data").textContent);
const published = trusted(data);
let latest = 0;
let identities = [];

function at(id) {
  return document.getElementById(id);
}

/** Check a certificate that is still to come; only the one asked for last is shown. */
async function show(signedTexts) {
  const turn = ++latest;
  const result = await outcomeOf(signedTexts).catch((error) => {
    console.error(error);
    return { outcome: "unreadable", words: `This page could not read it. ${AGAIN}` };
  });
  if (turn !== latest) return;
  at("result").dataset.outcome = result.outcome;
  at("symbol").setAttribute("href", `#symbol-${result.outcome}`);
  at("verdict").textContent = VERDICTS[result.outcome];
  at("words").textContent = result.words;
  document.title = `${VERDICTS[result.outcome]} · Certificate check · ${data.name}`;
  at("input-title").textContent = "Check another certificate";
  showFacts(result.facts);
  at("result").scrollIntoView({ block: "nearest" });
}

async function outcomeOf(signedTexts) {
  try {
    const issuer = await published;
    const found = await signedTexts;
    if (found.length !== 1) {
      throw new Refused(
        "unreadable",
        found.length === 0
          ? `There is no complete certificate in this. ${AGAIN}`
          : `There are ${found.length} certificates in this. Put them in one at a time.`,
      );
    }
    return await check(found[0], issuer, Date.now() / 1000);
  } catch (error) {
    if (error instanceof Refused) return { outcome: error.outcome, words: error.message };
    throw error;
  }
}

function showFacts(facts) {
  at("facts").hidden = facts === undefined;
  if (facts === undefined) return;
  identities = facts.identities ?? [];
  at("name").textContent = facts.name ?? "";
  at("name").hidden = facts.name === undefined;
  at("title").textContent = facts.title;
  at("compare").hidden = identities.length === 0;
  at("compare").reset();
  at("match").textContent = "";
  fill("list", [
    ["Course", facts.course],
    ["Dates", days(facts.first, facts.last)],
    ["Workload", `${counted(facts.hours, "hour")} (${facts.ec} EC)`],
    ["Issued by", facts.issuer],
    ["Issued on", day(facts.issued)],
    ...(facts.expires === undefined ? [] : [["Valid until", day(facts.expires)]]),
  ]);
  fill("technical", [
    ["Identifier", facts.id],
    ["Issuer", data.did.id],
    ["Key", facts.key],
    ["Place in list", String(facts.index)],
  ]);
}

function fill(id, rows) {
  at(id).replaceChildren(
    ...rows.flatMap(([term, text]) => {
      const dt = document.createElement("dt");
      const dd = document.createElement("dd");
      dt.textContent = term;
      dd.textContent = text;
      dd.dir = "auto";
      return [dt, dd];
    }),
  );
}

function days(first, last) {
  return LONG_DATE.formatRange(Date.parse(first), Date.parse(last));
}

function counted(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

async function signedTextsInFile(file) {
  if (file.size > 20_000_000) return [];
  const bytes = new Uint8Array(await file.arrayBuffer());
  const isPdf = new TextDecoder("latin1").decode(bytes.subarray(0, 5)) === "%PDF-";
  return isPdf ? signedTextsInPdf(bytes) : signedTextsIn(new TextDecoder().decode(bytes));
}

function checkAddress() {
  if (location.hash.length > 1) show(signedTextsIn(location.hash.slice(1)));
}

addEventListener("hashchange", checkAddress);
at("paste").addEventListener("submit", (event) => {
  event.preventDefault();
  show(signedTextsIn(at("text").value));
});
at("file").addEventListener("change", () => {
  const [file] = at("file").files;
  if (file) show(signedTextsInFile(file));
  at("file").value = "";
});
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
addEventListener("dragleave", () => document.body.classList.remove("dropping"));
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  const [file] = event.dataTransfer.files;
  show(file ? signedTextsInFile(file) : signedTextsIn(event.dataTransfer.getData("text")));
});
at("compare").addEventListener("submit", async (event) => {
  event.preventDefault();
  const who = at("who").value;
  if (!who.trim()) return;
  const same = await isOf(identities, who);
  at("match").dataset.same = same ? "yes" : "no";
  at("match").textContent = same
    ? "This certificate is theirs."
    : "This certificate is not theirs, or the name is spelt differently on it.";
});
published.then(
  ({ status }) => (at("as-of").textContent = day(status.issued)),
  () => show([]),
);
checkAddress();
