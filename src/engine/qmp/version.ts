/** What `query-version` and the greeting say. The field is called `qemu` on the wire; the version is ours. */
export const VERSION = {
  qemu: { major: 0, minor: 1, micro: 0 },
  package: 'QContext Playground 0.1.0',
} as const;

export const versionText = `${VERSION.package} (QMP and command line as in QEMU)`;
