import { serve } from '../serve'
import identity from './index'

serve(identity)
