// A little help with elements, painting and numbers.
import "./styles/base.css";

type Child = Node | string | null | undefined | false;
type Attribute = string | number | boolean | null | undefined | ((event: never) => void);

/** Makes an element. `on…` attributes are listeners; false, null and undefined leave an attribute out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, Attribute> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name.slice(2), value as EventListener);
    } else {
      attribute(element, name, value);
    }
  }
  element.append(...children.filter((child): child is Node | string => child != null && child !== false));
  return element;
}

/** Sets or removes an attribute; true is the empty attribute. */
export function attribute(
  element: Element,
  name: string,
  value: string | number | boolean | null | undefined,
): void {
  if (value === false || value == null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value === true ? "" : value)) {
    element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** Sets text without touching the page when it is the same, so that no screen reader repeats itself. */
export function text(element: Element, value: string): void {
  if (element.textContent !== value) element.textContent = value;
}

let made = 0;

/** An id that no other element of the page has, of whichever copy of this bundle. */
export function uid(prefix: string): string {
  made += 1;
  return `mooring-${prefix}-${made}-${Math.random().toString(36).slice(2, 8)}`;
}

/** Repaints at most once an animation frame, however often it is asked. */
export function painter(paint: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      paint();
    });
  };
}

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

export const count = (value: number): string => whole.format(value);
export const decimal = (value: number): string => short.format(value);

/** `1 asset`, `2 assets`, `2 dependencies`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${value === 1 ? noun : noun.endsWith("y") ? `${noun.slice(0, -1)}ies` : `${noun}s`}`;
}

export function bytes(value: number): string {
  let power = 0;
  let rest = value;
  while (rest >= 1024 && power < UNITS.length - 1) {
    rest /= 1024;
    power += 1;
  }
  return `${short.format(rest)} ${UNITS[power]}`;
}

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  chevron: "M4 6l4 4 4-4",
  plus: "M8 3v10M3 8h10",
  check: "M3.5 8.5l3 3 6-7",
  refresh: "M13 8a5 5 0 1 1-1.5-3.6M13 2.5V5h-2.5",
  cross: "M4 4l8 8M12 4l-8 8",
  keys: "M6 6a2 2 0 1 1 2.7 1.9c-.5.2-.7.6-.7 1.1v.5M8 12v.1",
  pin: "M6 2.5h4l-.5 4 2 2.5h-7l2-2.5-.5-4zM8 9v4.5",
  box: "M3 3h4v10H3zM9 3h4v10H9z",
  pencil: "M3 13l.6-2.6L10.8 3.2a1 1 0 0 1 1.4 0l.6.6a1 1 0 0 1 0 1.4L5.6 12.4 3 13z",
} as const;

/** A decorative icon, drawn in the colour of the text around it. */
export function icon(name: keyof typeof ICONS): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({
    viewBox: "0 0 16 16",
    class: "m-icon",
    "aria-hidden": "true",
  })) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}
