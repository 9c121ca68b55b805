/**
 * The fixed ids of the demo tenants and their users, so that demo data, documentation and tests can name them.
 * UUIDs version 7 of 1 January 2026, 00:00 UTC.
 */
export const demoSlugs = ['acme', 'globex'] as const
export type DemoSlug = (typeof demoSlugs)[number]

/** The users every demo tenant has; `admin` is `admin@acme.example` in acme. */
export const demoUserNames = ['admin', 'hr', 'analyst', 'viewer'] as const
export type DemoUserName = (typeof demoUserNames)[number]

export const demoTenantIds: Readonly<Record<DemoSlug, string>> = {
  acme: '019b76da-a800-7000-8000-0000000000a0',
  globex: '019b76da-a800-7000-8000-0000000000b0',
}

export const demoUserIds: Readonly<Record<DemoSlug, Readonly<Record<DemoUserName, string>>>> = {
  acme: {
    admin: '019b76da-a800-7000-8000-0000000000a1',
    hr: '019b76da-a800-7000-8000-0000000000a2',
    analyst: '019b76da-a800-7000-8000-0000000000a3',
    viewer: '019b76da-a800-7000-8000-0000000000a4',
  },
  globex: {
    admin: '019b76da-a800-7000-8000-0000000000b1',
    hr: '019b76da-a800-7000-8000-0000000000b2',
    analyst: '019b76da-a800-7000-8000-0000000000b3',
    viewer: '019b76da-a800-7000-8000-0000000000b4',
  },
}
