// What is live: news from the server, and files that are dropped. All else works without this.

const live = document.querySelector("[data-live]");
if (live && "EventSource" in window) {
  const off = document.getElementById("live-off");
  const source = new EventSource("/news");
  let asking = false, asked = false;

  async function refresh() {
    asked = true;
    if (asking) return;
    asking = true;
    while (asked) {
      asked = false;
      try {
        const answer = await fetch(location.href, { headers: { accept: "text/html" } });
        if (!answer.ok) throw new Error(String(answer.status));
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.querySelector("[data-live]");
        const focused = document.activeElement;
        const isUsed = live.contains(focused) && focused.matches("button, select, input, iframe");
        if (fresh && fresh.innerHTML !== live.innerHTML && !isUsed) live.replaceChildren(...fresh.childNodes);
        off.hidden = true;
      } catch { off.hidden = false; }
    }
    asking = false;
  }
  source.addEventListener("news", refresh);
  source.addEventListener("open", refresh);
  source.addEventListener("error", () => { off.hidden = false; });
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", event => { if (event.persisted) location.reload(); });
}

const form = document.getElementById("upload");
if (form) {
  const field = form.querySelector("input[type=file]"), button = form.querySelector("button");
  const over = yes => event => { event.preventDefault(); form.classList.toggle("over", yes); };
  form.addEventListener("dragenter", over(true));
  form.addEventListener("dragover", over(true));
  form.addEventListener("dragleave", over(false));
  form.addEventListener("drop", event => {
    over(false)(event);
    if (!event.dataTransfer.files.length) return;
    field.files = event.dataTransfer.files;
    form.requestSubmit();
  });
  const word = button.textContent;
  form.addEventListener("submit", () => { button.disabled = true; button.textContent = button.dataset.sending; });
  addEventListener("pageshow", () => { button.disabled = false; button.textContent = word; });
}
