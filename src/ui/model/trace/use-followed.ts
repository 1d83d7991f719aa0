import { useEffect, useState } from 'react';
import { usePlayground } from '../playground.ts';

/** What a view says of requests whose times it does not know, after what it is about; empty while all are followed. */
export function useFollowed(): string {
  const { trace } = usePlayground();
  const [oneOf, setOneOf] = useState(1);
  useEffect(() => trace.summaries(({ followOneOf }) => setOneOf(followOneOf)), [trace]);
  return oneOf === 1 ? '' : `; times of 1 request in ${oneOf}, all are counted`;
}
