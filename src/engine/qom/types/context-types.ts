import { bool, uint } from '../property.ts';
import { typeInfo } from './type-info.ts';

/** Properties every event loop has, whichever `-object` type made it. */
const LOOP_PROPERTIES = {
  'poll-max-ns': uint('longest time to poll busily before blocking, ns; 0 never polls', {
    type: 'int',
    max: Number.MAX_SAFE_INTEGER,
    default: 32768,
    live: true,
  }),
  'poll-grow': uint('factor by which the polling time grows; 0 means 2', {
    type: 'int',
    max: Number.MAX_SAFE_INTEGER,
    default: 0,
    live: true,
  }),
  'poll-shrink': uint('divisor by which the polling time shrinks; 0 means back to 0', {
    type: 'int',
    max: Number.MAX_SAFE_INTEGER,
    default: 0,
    live: true,
  }),
  'aio-max-batch': uint('most requests submitted in one batch; 0 lets the backend decide', {
    type: 'int',
    max: Number.MAX_SAFE_INTEGER,
    default: 0,
    live: true,
  }),
} as const;

export const QCONTEXT = typeInfo(
  { name: 'qcontext', parent: 'object', abstract: true, description: 'an event loop' },
  LOOP_PROPERTIES,
);

export const GLIB_QCONTEXT = typeInfo(
  {
    name: 'glib-qcontext',
    parent: 'qcontext',
    creatable: 'object',
    description: 'an event loop with GMainContext semantics',
  },
  {
    threaded: bool('run it in a thread of its own; else the main loop iterates it', { default: false }),
  },
);

export const IOTHREAD = typeInfo(
  {
    name: 'iothread',
    parent: 'qcontext',
    creatable: 'object',
    description: 'an event loop in a thread of its own, as QEMU names it',
  },
  {},
);
