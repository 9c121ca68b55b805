import { loadConfig, variableNames } from '../../kernel/process/config'

// That every guard stands whatever is set: test/contract/isolation.test.ts, which runs in hostileEnvironment().

it('no variable names a guard', () => {
  expect(
    variableNames.filter((name) =>
      /GUARD|SHIELD|RLS|AUTHORI|UNSAFE|INSECURE|DISABLE|SKIP|BYPASS|TRUST_(?!PROXY)/.test(name),
    ),
  ).toEqual([])
})

it('no limit can be set to nothing', () => {
  const limits = variableNames.filter((name) => /TIMEOUT|LIMIT|CONNECTIONS/.test(name))
  expect(limits.length).toBeGreaterThan(2)
  for (const name of limits)
    for (const value of ['0', '-1', 'off', 'none'])
      expect(() => loadConfig({ NODE_ENV: 'test', [name]: value })).toThrow(name)
})
