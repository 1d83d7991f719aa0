import { serveContext } from '../machine/context-thread.ts';
import { serveRoleOf } from './serve-role.ts';

serveRoleOf('context', serveContext);
