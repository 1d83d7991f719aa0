import type { PropertyTable } from '../property.ts';

/** A QOM type as plain description. What a live object of it does is in `qom/objects`. */
export interface TypeInfo<Table extends PropertyTable = PropertyTable> {
  readonly name: string;
  readonly parent: string | undefined;
  /** No objects of it can be made. */
  readonly abstract: boolean;
  readonly description: string;
  /** Own properties; those of the parents are inherited. */
  readonly properties: Table;
  /** How a user may create one: `-object`, `-device`, or not at all. */
  readonly creatable: 'object' | 'device' | undefined;
}

export const typeInfo = <const Table extends PropertyTable>(
  info: Partial<TypeInfo<Table>> & {
    readonly name: string;
    readonly parent: string | undefined;
    readonly description: string;
  },
  properties: Table,
): TypeInfo<Table> => ({ abstract: false, creatable: undefined, ...info, properties });
