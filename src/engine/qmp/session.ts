import { err, ok, type Result, type UserError } from '../base/result.ts';
import { parseJson } from '../qom/options/json.ts';
import type { QmpEvent } from '../vm.ts';
import type { Reply } from './command.ts';
import { type Frame, QmpFramer } from './framer.ts';
import { VERSION } from './version.ts';

/** A command as it came over the wire. */
interface Request {
  readonly execute: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly hasId: boolean;
  readonly id: unknown;
}

type Refused = { readonly error: UserError; readonly hasId: boolean; readonly id: unknown };

/** What runs a connection's commands: the `Monitor` itself, or a machine's façade on another thread. */
export interface QmpTarget {
  execute(name: string, args: Readonly<Record<string, unknown>>): Promise<Reply>;
  onEvent(listener: (event: QmpEvent) => void): () => void;
}

/**
 * One QMP connection: characters in, lines out. Commands of a connection run one after another, and their
 * replies come in that order; events come between them once capabilities are negotiated. No input ends it.
 */
export class QmpSession {
  readonly #target: QmpTarget;
  readonly #send: (line: string) => void;
  readonly #indent: number | undefined;
  readonly #framer = new QmpFramer();
  readonly #unsubscribe: () => void;
  #negotiated = false;
  #closed = false;
  #last: Promise<void> = Promise.resolve();

  /**
   * Greets at once.
   * @param send takes a line with its CR LF
   * @param pretty as `-qmp-pretty`: values over several lines
   */
  constructor(target: QmpTarget, send: (line: string) => void, pretty = false) {
    this.#target = target;
    this.#send = send;
    this.#indent = pretty ? 4 : undefined;
    this.#unsubscribe = target.onEvent((event) => this.#event(event));
    this.#write({ QMP: { version: VERSION, capabilities: [] } });
  }

  /** Takes the next characters. Resolves when every command complete by then has been answered. */
  receive(text: string): Promise<void> {
    const answered = this.#framer.push(text).map((frame) => {
      const answer = this.#last.then(() => this.#answer(frame));
      // A bug in one command is reported to whoever waits for it; the next command runs all the same.
      this.#last = answer.catch(() => undefined);
      return answer;
    });
    return Promise.all([this.#last, ...answered]).then(() => undefined);
  }

  /** The connection is gone: nothing is sent any more. */
  close(): void {
    this.#closed = true;
    this.#unsubscribe();
  }

  async #answer(frame: Frame): Promise<void> {
    if (this.#closed) return;
    const request = frame.kind === 'error' ? err(refused(frame.desc)) : parseRequest(frame.text);
    if (!request.ok) {
      this.#reply(request.error, { ok: false, error: request.error.error });
      return;
    }
    try {
      const reply = await this.#run(request.value);
      this.#reply(request.value, reply);
      if (reply.ok) await reply.after?.();
    } catch (error) {
      this.#reply(request.value, failure(`Internal error: ${String(error)}`));
      throw error;
    }
  }

  async #run({ execute, args }: Request): Promise<Reply> {
    if (execute === 'qmp_capabilities') return this.#negotiate(args);
    if (!this.#negotiated)
      return failure("Expecting capabilities negotiation with 'qmp_capabilities'", 'CommandNotFound');
    return this.#target.execute(execute, args);
  }

  #negotiate({ enable, ...rest }: Readonly<Record<string, unknown>>): Reply {
    if (this.#negotiated)
      return failure('Capabilities negotiation is already complete, command ignored', 'CommandNotFound');
    const extra = Object.keys(rest)[0];
    if (extra !== undefined) return failure(`Parameter '${extra}' is unexpected`);
    if (enable !== undefined && !Array.isArray(enable))
      return failure("Invalid parameter type for 'enable', expected: array");
    for (const [index, wanted] of (enable ?? []).entries()) {
      if (typeof wanted !== 'string')
        return failure(`Invalid parameter type for 'enable[${index}]', expected: string`);
      return failure(`Capability ${wanted} not available`);
    }
    this.#negotiated = true;
    return ok({});
  }

  #reply(to: { readonly hasId: boolean; readonly id: unknown }, reply: Reply): void {
    const id = to.hasId ? { id: to.id } : {};
    if (reply.ok) this.#write({ ...id, return: reply.value });
    else {
      // As in QEMU, hints are for people: HMP shows them, the wire does not.
      const { class: cls, desc } = reply.error;
      this.#write({ ...id, error: { class: cls, desc } });
    }
  }

  #event({ event, data, timestamp }: QmpEvent): void {
    if (this.#negotiated) this.#write({ timestamp, event, ...(data === undefined ? {} : { data }) });
  }

  #write(value: unknown): void {
    if (!this.#closed) this.#send(`${JSON.stringify(value, undefined, this.#indent)}\r\n`);
  }
}

const refused = (
  desc: string,
  id: { hasId: boolean; id: unknown } = { hasId: false, id: undefined },
): Refused => ({
  error: { class: 'GenericError', desc },
  ...id,
});

const failure = (desc: string, cls: UserError['class'] = 'GenericError'): Reply => err({ class: cls, desc });

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Checks the form of a command, with QEMU's words for what is wrong. */
function parseRequest(text: string): Result<Request, Refused> {
  const parsed = parseJson(text);
  if (!parsed.ok) return err(refused(`JSON parse error, ${parsed.error.message}`));
  const { value } = parsed.value;
  if (!isRecord(value)) return err(refused('QMP input must be a JSON object'));
  const id = { hasId: Object.hasOwn(value, 'id'), id: value['id'] };
  const bad = (desc: string) => err(refused(desc, id));
  if (Object.hasOwn(value, 'exec-oob')) return bad("QMP input member 'exec-oob' is unexpected");
  const extra = Object.keys(value).find((key) => !['execute', 'arguments', 'id'].includes(key));
  if (extra !== undefined) return bad(`QMP input member '${extra}' is unexpected`);
  const { execute, arguments: args = {} } = value;
  if (execute === undefined) return bad("QMP input lacks member 'execute'");
  if (typeof execute !== 'string') return bad("QMP input member 'execute' must be a string");
  if (!isRecord(args)) return bad("QMP input member 'arguments' must be an object");
  return ok({ execute, args, ...id });
}
