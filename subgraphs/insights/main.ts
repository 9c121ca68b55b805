import { serve } from '../serve'
import insights from './index'

serve(insights)
