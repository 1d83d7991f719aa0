import { type ReactNode, useId } from 'react';
import styles from './DataTable.module.css';

export interface Column<Row> {
  readonly id: string;
  readonly label: string;
  readonly explain?: string;
  readonly cell: (row: Row) => ReactNode;
  /** Numbers stand right-aligned with digits of one width. */
  readonly numeric?: boolean;
  readonly mono?: boolean;
}

/** A table of few rows; cells may be live. */
export function DataTable<Row>({
  caption,
  note,
  columns,
  rows,
  rowKey,
  empty = 'nothing',
}: {
  readonly caption: string;
  /** What the rows are, for those who see them for the first time. */
  readonly note?: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row, place: number) => string | number;
  readonly empty?: string;
}): ReactNode {
  const id = useId();
  // The heading is not the table's caption: a table wider than its panel is scrolled, what is said of it is not.
  return (
    <div className={styles['section']}>
      <h3 id={id} className={styles['caption']}>
        {caption}
      </h3>
      {note === undefined ? null : <p className={styles['note']}>{note}</p>}
      <div className={styles['scroll']} role="region" aria-label={`${caption}, table`} tabIndex={0}>
        <table className={styles['table']} aria-labelledby={id}>
          <thead>
            <tr>
              {columns.map((column) => (
                <th
                  key={column.id}
                  scope="col"
                  title={column.explain}
                  data-numeric={column.numeric || undefined}
                >
                  {column.label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.length === 0 ? (
              <tr>
                <td colSpan={columns.length} className={styles['empty']}>
                  {empty}
                </td>
              </tr>
            ) : (
              rows.map((row, place) => (
                <tr key={rowKey(row, place)}>
                  {columns.map((column) => (
                    <td
                      key={column.id}
                      data-numeric={column.numeric || undefined}
                      data-mono={column.mono || undefined}
                    >
                      {column.cell(row)}
                    </td>
                  ))}
                </tr>
              ))
            )}
          </tbody>
        </table>
      </div>
    </div>
  );
}
