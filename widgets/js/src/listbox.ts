// A combobox over a list of any length (ARIA APG): closed it says what is chosen; open it has a search field that
// keeps the focus, and a listbox whose marked row that field names.
import type { Detail } from "./details";
import { attribute, h, uid } from "./dom";
import { Finder } from "./finder";
import { Listing, type ListOptions } from "./listing";
import type { Choice, RowAction } from "./option";
import { Popup } from "./popup";
import { Trigger } from "./trigger";

const WIDTH_MIN = 460;
const OPENING = ["Enter", " ", "ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home", "End"];

/** A combobox. Opening, searching and moving change nothing; `commit` hears of a choice. */
export class Combobox<T> {
  readonly root: HTMLElement;
  readonly listing: Listing<T>;
  private readonly closed: Trigger;
  private readonly finder: Finder;
  private readonly popup: Popup;
  /** Enter was pressed before what was searched for was here. */
  private committing = false;

  constructor(private readonly options: ListOptions<T>) {
    this.closed = new Trigger({
      label: options.label,
      clicked: () => (this.isOpen ? this.close(true) : this.show()),
      // Else the focus would leave the open list, which closes it, and the click would open it again.
      pressed: (event) => this.isOpen && event.preventDefault(),
      focused: () => this.onTriggerFocus(),
      keys: (event) => this.onTriggerKey(event),
    });
    this.listing = new Listing<T>(options, {
      marked: (id) => attribute(this.finder.input, "aria-activedescendant", id),
      clicked: (index) => this.commit(this.listing.item(index)),
      acted: (kind, index) => this.act(kind, this.listing.item(index)),
      settled: () => this.committing && this.commit(this.listing.marked),
      resized: () => this.popup.place(),
      widen: () => void this.widen(),
      refocus: () => this.finder.input.focus(),
    });
    this.finder = new Finder(
      {
        label: options.search,
        filters: options.filters ?? [],
        changed: () => this.listing.ask(this.finder.query, this.finder.isPlain),
        typing: () => this.listing.wait(true),
      },
      {
        role: "combobox",
        "aria-autocomplete": "list",
        "aria-haspopup": "listbox",
        "aria-expanded": "false",
        "aria-controls": this.listing.list.id,
      },
    );
    this.finder.root.addEventListener("keydown", (event) => this.onListKey(event));
    this.popup = new Popup(
      this.trigger,
      WIDTH_MIN,
      { role: "dialog", id: uid("popup"), "aria-label": `Choose the ${options.noun}` },
      this.finder.root,
      ...this.listing.parts,
    );
    this.popup.root.addEventListener("mousedown", (event) => keepFocus(event));
    this.popup.root.addEventListener("keydown", (event) => this.onPopupKey(event));
    attribute(this.trigger, "aria-controls", this.popup.root.id);
    this.root = h(
      "div",
      { class: "m-field", onfocusout: (event: FocusEvent) => this.onFocusOut(event) },
      ...this.closed.parts,
      this.popup.root,
    );
  }

  get trigger(): HTMLElement {
    return this.closed.element;
  }

  get isOpen(): boolean {
    return this.popup.isOpen;
  }

  /** The marked row of the open list. */
  get marked(): T | undefined {
    return this.isOpen ? this.listing.marked : undefined;
  }

  /** Shows what is chosen, or a text where nothing is. */
  set(choice: Choice | null, detail: Detail | null, otherwise = "None", busy = false): void {
    this.closed.set(choice, detail, otherwise, busy);
    this.listing.select(choice?.name);
  }

  /** Another list begins. */
  clear(): void {
    this.close();
    this.finder.reset();
    this.closed.narrow("");
    this.listing.clear();
  }

  show(): void {
    if (this.isOpen) return;
    this.closed.expand(true);
    this.closed.narrow("");
    attribute(this.finder.input, "aria-expanded", "true");
    this.listing.prepare();
    this.popup.show();
    this.listing.show();
    this.finder.input.focus();
    this.finder.input.select();
  }

  /** Closes the list; `back` gives the focus to the combobox. */
  close(back = false): void {
    if (!this.isOpen) return;
    this.committing = false;
    // Before the focus leaves what is hidden, or it would be lost.
    if (back) this.trigger.focus();
    this.popup.hide();
    this.listing.hide();
    this.closed.expand(false);
    this.closed.narrow(this.finder.words);
    attribute(this.finder.input, "aria-expanded", "false");
  }

  /** Lets go of what narrows the list; whether something did. */
  widen(): boolean {
    if (this.finder.isPlain) return false;
    this.finder.clear();
    this.closed.narrow("");
    if (!this.isOpen) this.options.announce(`All ${this.options.noun}s are listed again`);
    return true;
  }

  /** Goes to the search field. */
  search(): void {
    this.show();
    this.finder.input.focus();
  }

  /** Hides the details; whether there were any to hide. */
  dismiss(): boolean {
    return this.closed.hideDetails();
  }

  toggleDetails(): void {
    const words = this.closed.toggleDetails();
    if (words) this.options.announce(words);
  }

  dispose(): void {
    this.close();
    this.closed.hideDetails();
    this.finder.dispose();
    this.listing.dispose();
  }

  private act(kind: RowAction["kind"], item: T | undefined): void {
    if (item) this.options.act?.(kind, item);
  }

  private commit(item: T | undefined): void {
    this.committing = false;
    if (!item) {
      const nothing = this.listing.walked.pages.total === 0;
      return this.options.announce(nothing ? "Nothing to choose" : "Still loading");
    }
    if (this.finder.query.search) this.finder.clearSearch();
    this.close(true);
    this.options.commit(item);
  }

  private onTriggerKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey || !OPENING.includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    this.show();
    if (/^(Page|Home|End)/.test(event.key)) this.listing.move(event.key);
  }

  /** Keys of the search field. */
  private onListKey(event: KeyboardEvent): void {
    if (event.target !== this.finder.input || event.isComposing) return;
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const blank = this.finder.input.value === "";
    if (event.key === "Enter" || (event.key === " " && blank)) {
      this.finder.flush();
      // Of a search that is under way, the best of what it will find.
      if (this.listing.isWaiting) this.committing = true;
      else this.commit(this.listing.marked);
    } else if (this.listing.move(event.key)) {
      this.committing = false;
    } else if (event.key !== "/" || !blank) {
      this.committing = false;
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** Keys wherever the focus is in the open list. */
  private onPopupKey(event: KeyboardEvent): void {
    if (event.isComposing || event.metaKey) return;
    if (event.key !== "Escape" && !(event.altKey && event.key === "ArrowUp")) return;
    this.close(true);
    event.preventDefault();
    event.stopPropagation();
  }

  private onTriggerFocus(): void {
    if (this.isOpen) this.close();
    else this.listing.prepare();
  }

  private onFocusOut(event: FocusEvent): void {
    if (!this.isOpen) return;
    const to = event.relatedTarget as Node | null;
    if (to && !this.popup.root.contains(to)) this.close();
    // Without a target a click went to something that takes no focus, or the window lost it, which is no leaving.
    if (to) return;
    setTimeout(() => {
      if (document.hasFocus() && !this.popup.root.contains(document.activeElement)) this.close();
    });
  }
}

/** A click on a row leaves the focus in the search field, which names the marked row. */
function keepFocus(event: Event): void {
  if (!(event.target as Element).closest("input, select, button, .m-about")) event.preventDefault();
}
