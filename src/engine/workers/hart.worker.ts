import { serveHart } from '../machine/hart-thread.ts';
import { serveRoleOf } from './serve-role.ts';

serveRoleOf('hart', serveHart);
