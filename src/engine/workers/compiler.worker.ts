import { serveCompiler } from '../machine/compiler-thread.ts';
import { serveRoleOf } from './serve-role.ts';

serveRoleOf('compiler', serveCompiler);
