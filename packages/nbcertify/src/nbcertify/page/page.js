// The page: takes a certificate from the address, a file or the text field, and shows the outcome.
// A worker reads and checks.

const LARGEST = 20_000_000; // bytes of a file
const SECONDS = 10; // for one check
const data = JSON.parse(at("data").textContent);
const source = URL.createObjectURL(new Blob([data.worker], { type: "text/javascript" }));
const waiting = new Map();
let worker = started();
let turns = 0;
let latest = 0;
let shown = { outcome: "idle", says: ["start_words", {}] };
let lookedUp;
let asOf;
let language = navigator.languages.map((one) => one.split("-")[0]).find((one) => one in data.languages) ?? "en";

function at(id) {
  return document.getElementById(id);
}

// --- The worker.

function started() {
  const worker = new Worker(source);
  worker.onmessage = ({ data: { turn, answer } }) => {
    waiting.get(turn)?.(answer);
    waiting.delete(turn);
  };
  worker.postMessage({ turn: 0, task: "published", given: data });
  return worker;
}

/** What the worker answers; one that takes too long is ended, and another one started. */
function asked(task, given, transfer = []) {
  const turn = ++turns;
  return new Promise((resolve) => {
    const clock = setTimeout(() => {
      waiting.delete(turn);
      worker.terminate();
      worker = started();
      resolve({ outcome: "unreadable", says: ["too_long", { seconds: String(SECONDS) }] });
    }, SECONDS * 1000);
    waiting.set(turn, (answer) => {
      clearTimeout(clock);
      resolve(answer);
    });
    worker.postMessage({ turn, task, given }, transfer);
  });
}

// --- Words.

/** A text of the page in its language; what is put in may be a number of seconds: a day. */
function say(key, values = {}) {
  const { says, issuer } = data.languages[language];
  const known = { issuer, again: says.again, ...values };
  return says[key].replace(/\{(\w+)\}/g, (_, name) =>
    typeof known[name] === "number" ? day(known[name]) : (known[name] ?? ""),
  );
}

function day(seconds) {
  return longDate().format(seconds * 1000);
}

function days(first, last) {
  return longDate().formatRange(Date.parse(first), Date.parse(last));
}

function longDate() {
  const tag = language === "en" ? "en-GB" : language;
  return new Intl.DateTimeFormat(tag, { dateStyle: "long", timeZone: "UTC" });
}

function work(hours, ec) {
  const number = new Intl.NumberFormat(language === "en" ? "en-GB" : language, { maximumFractionDigits: 2 });
  const said = say(hours === 1 ? "hour" : "hours", { hours: number.format(hours) });
  return ec ? say("credits", { hours: said, ec: number.format(ec) }) : said;
}

// --- What is shown.

/** Check what is still to come; only what was asked for last is shown. */
async function show(given) {
  const turn = ++latest;
  const found = await given.catch(() => ({ text: "" }));
  if (turn !== latest) return;
  const busy = setTimeout(() => {
    at("verdict").textContent = say("busy");
  }, 300);
  const transfer = found.bytes === undefined ? [] : [found.bytes.buffer];
  const answer = await asked("check", found, transfer);
  clearTimeout(busy);
  if (turn !== latest) return;
  shown = { ...answer, text: found.text };
  at("compare").reset();
  at("match").textContent = "";
  render();
  at("result").scrollIntoView({ block: "nearest" });
}

/** All of the page, in its language. */
function render() {
  const { outcome, says, facts } = shown;
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-say]")) {
    element.textContent = say(element.dataset.say);
  }
  at("issuer").textContent = data.languages[language].issuer;
  at("result").dataset.outcome = outcome;
  at("symbol").setAttribute("href", `#symbol-${outcome}`);
  at("verdict").textContent = say(outcome === "idle" ? "start" : outcome);
  at("words").textContent = say(...says);
  const about = `${say("check_title")} · ${data.languages[language].issuer}`;
  document.title = outcome === "idle" ? about : `${say(outcome)} · ${about}`;
  at("input-title").textContent = say(outcome === "idle" ? "put_in" : "put_in_another");
  at("as-of").textContent = say("as_of", {
    day: asOf ?? say("as_of_list"),
    address: `${data.site}verify/`,
  });
  showFacts(facts);
  showLookedUp();
}

function showFacts(facts) {
  at("facts").hidden = facts === undefined;
  if (facts === undefined) return;
  at("name").textContent = facts.name ?? "";
  at("name").hidden = facts.name === undefined;
  at("title").textContent = facts.title;
  at("compare").hidden = facts.identities === undefined;
  fill("list", [
    [say("course"), facts.course],
    [say("dates"), days(facts.first, facts.last)],
    [say("workload"), work(facts.hours, facts.ec)],
    ...(facts.results?.length ? [[say("results"), facts.results.join("; ")]] : []),
    [say("issued_by"), facts.issuer],
    [say("issued_on"), day(facts.issued)],
    ...(facts.expires === undefined ? [] : [[say("valid_until"), day(facts.expires)]]),
  ]);
  fill("technical", [
    [say("identifier"), facts.id],
    [say("issuer"), data.did.id],
    [say("key"), facts.key],
    [say("place"), String(facts.index)],
  ]);
  at("linkedin").hidden = shown.outcome !== "valid" || facts.name === undefined;
  if (!at("linkedin").hidden) at("linkedin-place").replaceChildren(linkTo(linkedInAddress(facts)));
}

function linkTo(address) {
  const link = document.createElement("a");
  link.href = address;
  link.className = "button";
  link.rel = "noopener noreferrer";
  link.target = "_blank";
  link.textContent = say("linkedin");
  return link;
}

/** Where LinkedIn offers to add a certificate: https://addtoprofile.linkedin.com/ */
function linkedInAddress(facts) {
  const month = (seconds) => {
    const when = new Date(seconds * 1000);
    return [when.getUTCFullYear(), when.getUTCMonth() + 1];
  };
  const [issueYear, issueMonth] = month(facts.issued);
  const what = {
    startTask: "CERTIFICATION_NAME",
    name: `${facts.title}: ${facts.course}`,
    ...(data.linkedin ? { organizationId: data.linkedin } : { organizationName: data.name }),
    issueYear,
    issueMonth,
  };
  if (facts.expires !== undefined) {
    [what.expirationYear, what.expirationMonth] = month(facts.expires);
  }
  what.certUrl = `${data.site}verify/${facts.token === undefined ? "" : `#${facts.token}`}`;
  what.certId = facts.id.replace("urn:uuid:", "");
  return `https://www.linkedin.com/profile/add?${new URLSearchParams(what)}`;
}

function showLookedUp() {
  at("look-up").hidden = data.lookup === null;
  if (lookedUp === undefined) return;
  const { title, issued, expires, revoked } = lookedUp.found ?? {};
  at("found").textContent = lookedUp.found
    ? [
        say("look_up_found", { day: issued, title }),
        ...(revoked ? [say("look_up_revoked")] : []),
        ...(!revoked && expires * 1000 <= Date.now() ? [say("look_up_expired", { day: expires })] : []),
        say("look_up_whose"),
      ].join(" ")
    : say("look_up_none");
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

// --- What is put in.

async function inFile(file) {
  if (file.size > LARGEST) return { text: "" };
  return { bytes: new Uint8Array(await file.arrayBuffer()) };
}

async function inText(text) {
  return { text: text.slice(0, LARGEST) };
}

function checkAddress() {
  if (location.hash.length > 1) show(inText(location.hash.slice(1)));
}

addEventListener("hashchange", checkAddress);
at("paste").addEventListener("submit", (event) => {
  event.preventDefault();
  show(inText(at("text").value));
});
at("file").addEventListener("change", () => {
  const [file] = at("file").files;
  if (file) show(inFile(file));
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
  show(file ? inFile(file) : inText(event.dataTransfer.getData("text")));
});
at("compare").addEventListener("submit", async (event) => {
  event.preventDefault();
  const who = at("who").value;
  if (!who.trim()) return;
  const same = await asked("compare", { identities: shown.facts.identities, who });
  at("match").dataset.same = same === true ? "yes" : "no";
  at("match").textContent = say(same === true ? "same" : "not_same");
});
at("look-up-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const number = at("number").value;
  if (!number.trim()) return;
  lookedUp = { found: await asked("lookUp", { number }) };
  showLookedUp();
});
for (const [tag, { name }] of Object.entries(data.languages)) {
  const option = new Option(name, tag, tag === language, tag === language);
  option.lang = tag;
  at("language").add(option);
}
at("language").addEventListener("change", () => {
  language = at("language").value;
  render();
});

render();
const told = await asked("published", {});
if (told.asOf === undefined) {
  shown = told;
} else {
  asOf = told.asOf;
}
render();
checkAddress();
