// The players of one match with Kick and Ban, the bans with Lift, and what operators did.
import { button, el, formatDuration, problemSentence, setHidden, setText } from '@tickwire/ui';
import type { AdminApi, AdminMatch, AuditEntry, Ban, Person } from './admin-api';
import { KeyedTable } from './table';
import { askToBan, askToKick } from './verdict-dialog';

const PRESENCE: Readonly<Record<Person['presence'], string>> = {
  expected: 'on the way in',
  here: 'playing',
  idle: 'idle',
  away: 'away',
};
/** What there is room for without scrolling far; the log has all of it. */
const ENTRIES_SHOWN = 50;

export class Moderation {
  readonly element: HTMLElement;
  private readonly api: () => AdminApi | null;
  private match: AdminMatch | null = null;
  private readonly peopleTitle = el('h2', { id: 'people-title' });
  private readonly problem = el('p', { class: 'form-error', role: 'alert', 'data-testid': 'people-problem' });
  private readonly people: KeyedTable<Person>;
  private readonly peopleCard: HTMLElement;
  private readonly bans: KeyedTable<Ban>;
  private readonly bansCard: HTMLElement;
  private readonly audit: KeyedTable<AuditEntry>;
  private readonly auditCard: HTMLElement;

  constructor(api: () => AdminApi | null) {
    this.api = api;
    this.people = new KeyedTable<Person>({
      testId: 'admin-people',
      titleId: 'people-title',
      columns: [
        { title: 'Player', text: (person) => person.name },
        { title: 'Now', text: (person) => PRESENCE[person.presence] },
        { title: 'Address', text: (person) => person.address ?? '–' },
      ],
      // Another connection is from elsewhere, perhaps: then Ban means another address.
      key: ({ session, network, name }) => `${session} ${network ?? ''} ${name}`,
      actions: (person) => this.actionsFor(person),
    });
    this.bans = new KeyedTable<Ban>({
      testId: 'admin-bans',
      titleId: 'bans-title',
      columns: [
        { title: 'Who', text: ({ name, network }) => (network === null ? name : `${network} (${name})`) },
        { title: 'For another', text: ({ expires_ms }) => leftOf(expires_ms, Date.now()) },
        { title: 'Reason', text: ({ reason }) => reason },
      ],
      key: ({ id }) => String(id),
      actions: (ban) => [
        button(
          'Lift',
          { class: 'secondary small', 'data-testid': 'lift', 'aria-label': `Lift the ban of ${ban.name}` },
          () => void this.lift(ban),
        ),
      ],
    });
    this.audit = new KeyedTable<AuditEntry>({
      testId: 'admin-audit',
      titleId: 'audit-title',
      columns: [
        { title: 'When', text: ({ at_ms }) => new Date(at_ms).toLocaleString() },
        { title: 'From', text: ({ client }) => client },
        { title: 'Action', text: ({ action }) => action },
        { title: 'Whom', text: ({ subject }) => subject },
        { title: 'Reason', text: ({ reason }) => reason },
      ],
      key: ({ at_ms, action, subject }) => `${String(at_ms)} ${action} ${subject}`,
    });
    const close = button('Close', { class: 'secondary small', 'data-testid': 'people-close' }, () => {
      this.match = null;
      setHidden(this.peopleCard, true);
    });
    const head = el('header', { class: 'card-head' }, this.peopleTitle, close);
    this.peopleCard = card('people-title', head, this.people.element, this.problem);
    this.bansCard = card('bans-title', el('h2', { id: 'bans-title' }, 'Bans'), this.bans.element);
    this.auditCard = card('audit-title', el('h2', { id: 'audit-title' }, 'What operators did'), this.audit.element);
    this.element = el('div', { class: 'moderation' }, this.peopleCard, this.bansCard, this.auditCard);
    for (const element of [this.peopleCard, this.bansCard, this.auditCard]) setHidden(element, true);
  }

  /** Shows who plays in a match. */
  show(match: AdminMatch): void {
    this.match = match;
    this.people.show([]);
    setText(this.problem, '');
    setText(this.peopleTitle, `Players of ${match.code}`);
    setHidden(this.peopleCard, false);
    this.peopleCard.scrollIntoView({ block: 'nearest' });
    void this.refresh();
  }

  async refresh(): Promise<void> {
    const api = this.api();
    if (api === null) return;
    const { match } = this;
    const [people, bans, audit] = await Promise.all([this.listPeople(api), api.bans(), api.audit()]);
    if (match === this.match && people !== null) this.people.show(people);
    this.bans.show(bans);
    setHidden(this.bansCard, bans.length === 0);
    this.audit.show(audit.slice(0, ENTRIES_SHOWN));
    setHidden(this.auditCard, audit.length === 0);
  }

  /** Null while no match is shown; nobody if the match is over. */
  private async listPeople(api: AdminApi): Promise<readonly Person[] | null> {
    if (this.match === null) return null;
    try {
      const people = await api.people(this.match.id);
      setText(this.problem, people.length === 0 ? 'Nobody has a seat in this match.' : '');
      return people;
    } catch (error) {
      setText(this.problem, problemSentence(error, ''));
      return [];
    }
  }

  private actionsFor(person: Person): readonly HTMLElement[] {
    const { match } = this;
    if (match === null) return [];
    const attributes = (testId: string, label: string): Record<string, string> => ({
      class: 'secondary small',
      'data-testid': testId,
      'aria-label': label,
    });
    return [
      button('Kick', attributes('kick', `Kick ${person.name}`), () => {
        askToKick(person, (reason) => this.act((api) => api.kick(match.id, person.session, reason)));
      }),
      button('Ban…', attributes('ban', `Ban ${person.name}`), () => {
        askToBan(person, (ban) => this.act((api) => api.ban(ban)));
      }),
    ];
  }

  /** If it is over already, the list says so. */
  private async lift({ id }: Ban): Promise<void> {
    await this.act((api) => api.lift(id)).catch(() => this.refresh());
  }

  private async act(action: (api: AdminApi) => Promise<void>): Promise<void> {
    const api = this.api();
    if (api === null) return;
    await action(api);
    await this.refresh();
  }
}

function card(titleId: string, ...children: readonly HTMLElement[]): HTMLElement {
  return el('section', { class: 'card', 'aria-labelledby': titleId }, ...children);
}

/** How much longer a ban lasts. */
function leftOf(expiresMs: number | null, nowMs: number): string {
  return expiresMs === null
    ? 'until it is lifted'
    : formatDuration(Math.max(0, Math.ceil((expiresMs - nowMs) / 1_000)));
}
