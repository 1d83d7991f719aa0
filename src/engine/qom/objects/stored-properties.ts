import { ok, type Result, userError } from '../../base/result.ts';
import type { QomProperty } from '../object.ts';
import type { JsonValue, PropertyDef, PropertyTable, PropsOf } from '../property.ts';

/** Runs when a property of a completed object is to change; the new value is kept if it succeeds. */
export type ChangeHandler = (name: string, value: unknown) => Promise<Result<JsonValue | undefined>>;

/**
 * The values of an object's properties, described by a table. Before completion every property can be set;
 * after it only the live ones, through `onChange`.
 */
export class StoredProperties<Table extends PropertyTable> {
  readonly table: Table;
  readonly #late: (property: string) => string;
  readonly #values: Record<string, unknown>;
  readonly #onChange: ChangeHandler;
  completed = false;

  /** @param late the message for a property that can't be set any more */
  constructor(
    table: Table,
    values: PropsOf<Table>,
    late: (property: string) => string,
    onChange: ChangeHandler,
  ) {
    this.table = table;
    this.#late = late;
    this.#values = { ...values };
    this.#onChange = onChange;
  }

  get values(): PropsOf<Table> {
    return this.#values as PropsOf<Table>;
  }

  /** Keeps a value that is already checked and in effect. */
  put(name: keyof Table & string, value: unknown): void {
    this.#values[name] = value;
  }

  /** The table's properties, to be put on a QOM object. */
  qomProperties(): Record<string, QomProperty> {
    return Object.fromEntries(
      Object.entries(this.table).map(([name, property]): [string, QomProperty] => [
        name,
        {
          type: property.type,
          description: property.description,
          get: () => toJson(property, this.#values[name]),
          set: (value) => this.#set(name, property, value),
        },
      ]),
    );
  }

  async #set(name: string, property: PropertyDef, raw: unknown): Promise<Result<JsonValue | undefined>> {
    const read = property.read(name, raw);
    if (!read.ok)
      return userError(read.error.desc, read.error.hint === undefined ? {} : { hint: read.error.hint });
    if (!this.completed) {
      this.#values[name] = read.value;
      return ok(undefined);
    }
    if (!property.live)
      return userError(this.#late(name), {
        hint: `It is set when the object is made. ${liveNames(this.table)}`,
      });
    const changed = await this.#onChange(name, read.value);
    if (changed.ok) this.#values[name] = read.value;
    return changed;
  }
}

const liveNames = (table: PropertyTable): string => {
  const live = Object.entries(table).filter(([, property]) => property.live);
  return live.length === 0 ? '' : `Changeable: ${live.map(([name]) => name).join(', ')}.`;
};

/** Values as QMP shows them: an unset string is empty, an unset number is null. */
const toJson = (property: PropertyDef, value: unknown): JsonValue =>
  value === undefined
    ? property.type.startsWith('uint') || property.type === 'size' || property.type === 'int'
      ? null
      : ''
    : (value as JsonValue);
