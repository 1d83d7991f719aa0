import type { PollableNotifier } from '../../../qcontext/aio-interface.ts';

/** An event notifier that only counts. */
export class FakeNotifier implements PollableNotifier {
  readonly fd: number;
  count = 0;
  /** Times it was set, in all. */
  sets = 0;
  constructor(fd = 0) {
    this.fd = fd;
  }
  set(): void {
    this.count += 1;
    this.sets += 1;
  }
  testAndClear(): boolean {
    const was = this.count > 0;
    this.count = 0;
    return was;
  }
  isSet(): boolean {
    return this.count > 0;
  }
}
