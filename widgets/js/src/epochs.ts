// The widgets of one workspace hear of a switch by messages of their own, which frames may be painted between. A view
// whose turn has not come is behind: its numbers are of another session than the others show, so it shows none.

interface Member {
  epoch: number;
  changed(behind: boolean): void;
}

const SHARED = Symbol.for("mooring.epochs.1");

/** The newest switch that any widget of a workspace in this page has heard of, whichever bundle it runs. */
export class Epochs {
  private readonly members = new Set<Member>();
  private newest = -1;

  private constructor(private readonly left: () => void) {}

  /** Those of one workspace. */
  static of(workspace: string): Epochs {
    const page = globalThis as unknown as Record<symbol, Map<string, Epochs> | undefined>;
    const shared = (page[SHARED] ??= new Map());
    let epochs = shared.get(workspace);
    if (!epochs) shared.set(workspace, (epochs = new Epochs(() => shared.delete(workspace))));
    return epochs;
  }

  /** `changed` hears whether this widget is behind, at once when another one goes ahead. */
  join(changed: (behind: boolean) => void): { reach(epoch: number): void; leave(): void } {
    const member: Member = { epoch: -1, changed };
    this.members.add(member);
    return {
      reach: (epoch) => {
        member.epoch = epoch;
        const ahead = epoch > this.newest;
        if (ahead) this.newest = epoch;
        for (const each of ahead ? this.members : [member]) each.changed(each.epoch < this.newest);
      },
      leave: () => {
        this.members.delete(member);
        if (this.members.size === 0) this.left();
      },
    };
  }
}
