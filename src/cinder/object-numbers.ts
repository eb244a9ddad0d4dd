/** Numbers for objects under way in workers, over the whole process: workers may serve several jobs at once. */
let objects = 0

export function nextObjectNumber(): number {
  return ++objects
}
