import type { ReactNode } from 'react';
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
  columns,
  rows,
  rowKey,
  empty = 'nothing',
}: {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string | number;
  readonly empty?: string;
}): ReactNode {
  return (
    <div className={styles['scroll']} role="region" aria-label={`${caption}, table`} tabIndex={0}>
      <table className={styles['table']}>
        <caption className={styles['caption']}>{caption}</caption>
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
            rows.map((row) => (
              <tr key={rowKey(row)}>
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
  );
}
