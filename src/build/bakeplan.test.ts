import { describe, expect, it } from '@jest/globals'
import { fakeWorld } from '../../tests/fakes/world.ts'
import { readBakePlan, requireImageNames } from './bakeplan.ts'

const options = { file: 'docker-bake.hcl', folder: '/todo', targets: [] }

function planOf(
  target: unknown,
  stderr = '',
  group: unknown = { default: {} },
): ReturnType<typeof readBakePlan> {
  const stdout = JSON.stringify({ group, target })
  const status = stderr === '' ? 0 : 1
  return readBakePlan(
    options,
    fakeWorld({ run: () => Promise.resolve({ status, stdout, stderr }) }),
  )
}

describe('a bake plan', () => {
  it('is what bake resolved, with the defaults of Docker', async () => {
    const plan = await planOf({
      backend: { context: 'app/backend', dockerfile: 'docker/backend/Dockerfile' },
      frontend: {},
    })
    expect(plan.targets).toMatchObject([
      { name: 'backend', context: 'app/backend', dockerfile: 'docker/backend/Dockerfile' },
      { name: 'frontend', context: '.', dockerfile: 'Dockerfile' },
    ])
  })

  it('has what stands only as a context of another target among the parents', async () => {
    const target = { api: { contexts: { base: 'target:base' } }, base: {}, web: {} }
    const group = { default: { targets: ['web', 'all'] }, all: { targets: ['api'] } }
    const plan = await planOf(target, '', group)
    expect(plan.targets.map(({ name }) => name)).toEqual(['api', 'web'])
    expect(plan.parents.map(({ name }) => name)).toEqual(['base'])
    expect(plan.targets[0]?.contexts).toEqual({ base: 'target:base' })
  })

  it('has one date for all files of its images, whenever they are built, unless another was asked for', async () => {
    const plan = await planOf({
      backend: {},
      frontend: { args: { MODE: 'x', SOURCE_DATE_EPOCH: '1700000000' } },
    })
    expect(plan.targets.map(({ args }) => args)).toEqual([
      { SOURCE_DATE_EPOCH: '315532800' },
      { MODE: 'x', SOURCE_DATE_EPOCH: '1700000000' },
    ])
  })

  it.each(['NPM_TOKEN', 'db_password', 'OPENAI_API_KEY', 'OPENAI_APIKEY', 'SigningSecret'])(
    'is refused where %s is a build argument, which everybody can read in the image',
    async (name) => {
      await expect(planOf({ backend: { args: { [name]: 'x' } } })).rejects.toThrow(
        'pass these as build secrets instead',
      )
    },
  )

  it('does not name the value of such an argument', async () => {
    const refusal = await planOf({ backend: { args: { NPM_TOKEN: 'hunter2', MODE: 'x' } } }).catch(
      (error: unknown) => error,
    )
    expect(refusal).toMatchObject({ details: ['backend: NPM_TOKEN'] })
  })

  it('that bake refuses has its own words in the first line', async () => {
    const stderr = 'docker-bake.hcl:3\n--------\nERROR: failed to find target backnd\n'
    await expect(planOf({}, stderr)).rejects.toThrow(
      "The bake file docker-bake.hcl can't be used: failed to find target backnd",
    )
  })
})

describe('the name of a target', () => {
  it('becomes the name of an image, so that all that can not are refused together', async () => {
    const plan = await planOf({ Api: {}, release: {}, cache: {}, web: {} })
    const refused = () => {
      requireImageNames(plan, 'ghcr.io/acme/todo')
    }
    expect(refused).toThrow("The targets can't all be images: rename them in the bake file: 3 prob")
    const good = await planOf({ 'local-model': {} })
    requireImageNames(good, 'ghcr.io/acme/todo')
  })
})
