/** What is typed at the guest's shell. `/dev/vda` is the first disk; everything only reads from it. */

/** One request. */
export const READ_ONE = 'dd if=/dev/vda of=/dev/null bs=4k count=1 iflag=direct';

/** Requests one after another: the next is made when the one before has come back. */
export const oneByOne = (count: number): string =>
  `dd if=/dev/vda of=/dev/null bs=4k count=${count} iflag=direct 2>/dev/null`;

/** Random reads for a while, in the background, `depth` under way at once; dd where there is no fio. */
export const randomReads = (depth: number, seconds: number, jobs = 1): string =>
  `if command -v fio >/dev/null; then fio --name=load --filename=/dev/vda --readonly --rw=randread --bs=4k --direct=1` +
  ` --ioengine=libaio --iodepth=${depth} --numjobs=${jobs} --time_based --runtime=${seconds} >/dev/null; else while :; do` +
  ' dd if=/dev/vda of=/dev/null bs=4k count=4096 iflag=direct; done; fi 2>/dev/null &';
