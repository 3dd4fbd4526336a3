// HTML that somebody's object made. It is parsed inertly; only what is known to be harmless goes into the page.

const TAGS = new Set(
  (
    "a b big blockquote br caption code col colgroup dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i " +
    "ins kbd li mark ol p pre q s samp section small span strong style sub summary sup table tbody td tfoot th thead " +
    "time tr tt u ul var"
  ).split(" "),
);
const ATTRIBUTES = new Set(
  (
    "abbr align border cellpadding cellspacing class colspan datetime dir headers height id lang open role rowspan scope scoped " +
    "span start style title type valign width"
  ).split(" "),
);
// What could fetch, run, or draw outside its own box.
const CSS_REFUSED = /url\s*\(|image-set|@import|expression|javascript:|position\s*:\s*(fixed|sticky)|\\/i;

/** The HTML as a fragment for a shadow root, or null where it holds anything that is not on the list. */
export function harmless(html: string): DocumentFragment | null {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  // Styles at the very beginning are moved to the head by the parser; they belong to the output.
  parsed.body.prepend(...parsed.head.childNodes);
  for (const element of parsed.body.querySelectorAll("*")) if (!allowed(element)) return null;
  const fragment = document.createDocumentFragment();
  for (const node of [...parsed.body.childNodes]) fragment.append(document.importNode(node, true));
  // The page itself is the notebook: it must not be left by a click.
  for (const link of fragment.querySelectorAll("a")) {
    link.target = "_blank";
    link.rel = "noopener noreferrer";
  }
  // A screen reader would announce the corner of a data frame as the heading of its index.
  for (const heading of fragment.querySelectorAll("th:not([role])")) {
    if (!heading.textContent?.trim()) heading.setAttribute("role", "cell");
  }
  return fragment;
}

function allowed(element: Element): boolean {
  if (!TAGS.has(element.localName)) return false;
  if (element.localName === "style" && CSS_REFUSED.test(element.textContent ?? "")) return false;
  for (const { name, value } of element.attributes) {
    if (name === "href" && element.localName === "a") {
      if (!/^(https?:|mailto:|#)/i.test(value)) return false;
    } else if (!ATTRIBUTES.has(name) && !name.startsWith("aria-") && !name.startsWith("data-")) {
      return false;
    }
    if (name === "style" && CSS_REFUSED.test(value)) return false;
  }
  return true;
}

const CSP =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; font-src data:; media-src data:";
const HEIGHT_MAX_PX = 2000;

// First, so that it hears of everything that is refused to what comes after it.
const REFUSED = `<script>addEventListener("securitypolicyviolation", ({ blockedURI }) =>
  parent.postMessage({ mooring: "refused", address: blockedURI }, "*"));</script>`;
const HEIGHT = `<script>{
  const tell = () => parent.postMessage({ mooring: "height", height: document.documentElement.offsetHeight }, "*");
  addEventListener("load", tell);
  new ResizeObserver(tell).observe(document.documentElement);
}</script>`;
const RELAY = `<script>addEventListener("message", ({ data }) => parent.postMessage(data, "*"));</script>`;
const LOOK = "<style>body { margin: 0; font: 13px system-ui, sans-serif; }</style>";
const OUTER_LOOK = "<style>body { margin: 0; } iframe { display: block; width: 100%; height: 100vh; border: 0; }</style>";

/**
 * A frame that runs what it must in an origin of its own, without network; it tells its height, and `refused` is
 * called with the address of the first thing that it was not let fetch. It is a frame in a frame: the outer one's
 * policy is what keeps the inner one from going to another page and taking along what it was shown.
 */
export function sandboxed(
  html: string,
  title: string,
  refused: (address: string) => void,
): { frame: HTMLIFrameElement; dispose(): void } {
  const inner = document.createElement("iframe");
  inner.title = title;
  inner.setAttribute("sandbox", "allow-scripts");
  inner.srcdoc = page(`${REFUSED}${HEIGHT}${LOOK}${html}`);
  const frame = document.createElement("iframe");
  frame.className = "m-frame";
  frame.title = title;
  frame.setAttribute("sandbox", "allow-scripts");
  frame.srcdoc = page(`${REFUSED}${RELAY}${OUTER_LOOK}${inner.outerHTML}`);
  let told = false;
  const hear = ({ source, data }: MessageEvent): void => {
    if (source !== frame.contentWindow) return;
    if (data?.mooring === "height") {
      frame.style.height = `${Math.min(Math.max(Number(data.height) || 0, 24), HEIGHT_MAX_PX)}px`;
    } else if (data?.mooring === "refused" && !told) {
      told = true;
      refused(String(data.address));
    }
  };
  window.addEventListener("message", hear);
  return { frame, dispose: () => window.removeEventListener("message", hear) };
}

const page = (body: string): string =>
  `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${CSP}">${body}`;
