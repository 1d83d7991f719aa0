import { serveMain } from '../machine/main-thread.ts';
import { serveRoleOf } from './serve-role.ts';

serveRoleOf('main', serveMain);
