/** What these tests run is what the sources say. */
import { expect, it } from 'vitest'
import { isBuilt } from '../global-setup.ts'

it('dist/ is not older than anything it is made of', () => {
  expect(isBuilt()).toBe(true)
})
